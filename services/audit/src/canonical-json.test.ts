import { expect, test } from 'vitest';
import { canonicalJson, type Json } from './canonical-json.ts';

const canonical = (text: string) => canonicalJson(JSON.parse(text) as Json);

test('when members stand in another order or with white space, then the canonical form is the same', () => {
  expect(canonical('{ "b" : [1, {"d": null, "c": true}], "a": "x" }')).toBe('{"a":"x","b":[1,{"c":true,"d":null}]}');
});

// RFC 8785, section 3.2.3.
test('when names are sorted, then by their UTF-16 code units', () => {
  const text = String.raw`{"\u20ac":"Euro Sign","\r":"Carriage Return","\ufb33":"Hebrew Letter Dalet With Dagesh","1":"One","\ud83d\ude00":"Emoji: Grinning Face","\u0080":"Control","\u00f6":"Latin Small Letter O With Diaeresis"}`;
  expect(Object.values(JSON.parse(canonical(text)) as object)).toHaveLength(7);
  expect([...canonical(text).matchAll(/:"([^"]*)"/g)].map(([, value]) => value)).toEqual([
    'Carriage Return',
    'One',
    'Control',
    'Latin Small Letter O With Diaeresis',
    'Euro Sign',
    'Emoji: Grinning Face',
    'Hebrew Letter Dalet With Dagesh',
  ]);
});

// RFC 8785, section 3.2.2.
test('when numbers and strings are written, then as ECMAScript writes them', () => {
  const text = String.raw`{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],"string":"\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/","literals":[null,true,false]}`;
  expect(canonical(text)).toBe(
    String.raw`{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}`,
  );
});

test('when a member is called __proto__, then it is a member like others', () => {
  expect(canonical('{"__proto__":{"after":1},"a":2}')).toBe('{"__proto__":{"after":1},"a":2}');
});
