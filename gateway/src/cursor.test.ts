import { AppError } from '@accessops/errors';
import { describe, expect, test } from 'vitest';
import { createCursors } from './cursor.ts';

const cursors = createCursors(Buffer.alloc(32, 1));
const position = '{"by":"-createdAt,id","at":["2026-11-21T09:30:00.000Z","0192f0c1-5a3e-7b4d-8c6f-2a9d1e4b7c30"]}';

const refused = (open: () => unknown) => {
  try {
    open();
    return undefined;
  } catch (error) {
    return (error as AppError).code;
  }
};

describe('cursors', () => {
  test('when a cursor comes back in its scope, then it gives the position it was made of', () => {
    expect(cursors.open('list tenant user', cursors.seal('list tenant user', position))).toBe(position);
  });

  test('when a position holds any characters, then it comes back unchanged', () => {
    for (const odd of ['é 💾 "', '{}', '\u0001'.repeat(300)]) expect(cursors.open('s', cursors.seal('s', odd))).toBe(odd);
  });

  test.each(['other tenant user', 'list other user', 'list tenant other', ''])(
    'when it is used in the scope "%s", then it is refused',
    (scope) => {
      const cursor = cursors.seal('list tenant user', position);
      expect(refused(() => cursors.open(scope, cursor))).toBe('INVALID_CURSOR');
    },
  );

  test('when any character of it is changed, then it is refused', () => {
    const cursor = cursors.seal('s', position);
    for (let index = 0; index < cursor.length; index++) {
      const changed = cursor.slice(0, index) + (cursor[index] === 'A' ? 'B' : 'A') + cursor.slice(index + 1);
      expect(refused(() => cursors.open('s', changed))).toBe('INVALID_CURSOR');
    }
  });

  test.each(['', 'x', 'eyJhIjoxfQ', 'a b', 'AAAAAAAAAAAAAAAAAAAAAA', 'A'.repeat(9000), 'ä', '====', '%00'])(
    'when it is "%s", then it is refused',
    (cursor) => {
      expect(refused(() => cursors.open('s', cursor))).toBe('INVALID_CURSOR');
    },
  );

  test('when another gateway with another key made it, then it is refused', () => {
    const foreign = createCursors(Buffer.alloc(32, 2)).seal('s', position);
    expect(refused(() => cursors.open('s', foreign))).toBe('INVALID_CURSOR');
  });
});
