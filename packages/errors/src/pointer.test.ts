import { expect, test } from 'vitest';
import { pointerTo } from './pointer.ts';

// The examples of RFC 6901, section 5.
test.each<[PropertyKey[], string]>([
  [[], ''],
  [['foo', 0], '/foo/0'],
  [[''], '/'],
  [['a/b'], '/a~1b'],
  [['m~n'], '/m~0n'],
  [['~1'], '/~01'],
])('when the path is %j, then the pointer is %j', (path, pointer) => {
  expect(pointerTo(path)).toBe(pointer);
});
