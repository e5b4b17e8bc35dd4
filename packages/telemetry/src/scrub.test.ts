import { expect, test } from 'vitest';
import { scrub } from './scrub.ts';

test.each([
  ['connect ECONNREFUSED 10.1.2.3:5432', 'connect ECONNREFUSED [removed]:5432'],
  ['no mail to una.user+x@acme.test today', 'no mail to [removed] today'],
  ['nats://app:s3cr3t@broker.internal:4222 is down', 'nats://[removed]@broker.internal:4222 is down'],
  ['GET https://door.test/open?token=abc failed', 'GET https://door.test/open failed'],
  ['Authorization: Bearer eyJhbGciOi.abc.def', 'Authorization: [removed] [removed]'],
  ['password=hunter2 was refused', 'password=[removed] was refused'],
  ['{"refreshToken":"abc"}', '{"[removed]":[removed]}'],
  ['invalid input syntax for type uuid: "Una User"', 'invalid input syntax for type uuid: "[removed]"'],
  ['Key (email)=(una) already exists.', 'Key (email)=([removed]) already exists.'],
  ['eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl is no token', '[removed] is no token'],
])('when a text is %s, then what is left is %s', (text, left) => {
  expect(scrub(text)).toBe(left);
});

test.each([
  "Cannot read properties of undefined (reading 'tenantId')",
  'request 01a20107-46d7-73e6-8998-d87ed7ea44e1 is gone',
  'RequestSubmitted was emitted outside a unit of work',
])('when there is nothing to hide in %s, then it stays', (text) => {
  expect(scrub(text)).toBe(text);
});

test('when a text is long, then it is cut', () => {
  expect(scrub('word '.repeat(1000))).toHaveLength(1000);
});
