import { expect, test } from 'vitest';
import { parseTraceparent, traceparentOf } from './traceparent.ts';

const traceId = '0af7651916cd43dd8448eb211c80319c';
const spanId = 'b7ad6b7169203331';

test.each([
  ['00', false],
  ['01', true],
  ['03', true],
  ['02', false],
])('when the flags are %s, then it is recorded: %s', (flags, sampled) => {
  expect(parseTraceparent(`00-${traceId}-${spanId}-${flags}`)).toEqual({ traceId, spanId, sampled });
});

test.each(['', 'nonsense', `00-${'0'.repeat(32)}-${spanId}-01`, `00-${traceId}-${'0'.repeat(16)}-01`, `ff-${traceId}-${spanId}-01`])(
  'when the text is "%s", then it is no trace',
  (text) => {
    expect(parseTraceparent(text)).toBeUndefined();
  },
);

test('when it is written and read, then it is the same', () => {
  const context = { traceId, spanId, sampled: true };
  expect(parseTraceparent(traceparentOf(context))).toEqual(context);
});
