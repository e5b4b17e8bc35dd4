import { describe, expect, test } from 'vitest';
import { preconditionOf } from './precondition.ts';

const check = (demand: string, version: number | undefined) => () => preconditionOf(demand).expectVersion(version);
const failed = expect.objectContaining({ code: 'PRECONDITION_FAILED' });

describe('a precondition', () => {
  test.each<[string, number | undefined]>([
    ['', 3],
    ['', undefined],
    ['3', 3],
    ['1,3', 3],
    ['*', 3],
  ])('when "%s" is demanded of version %s, then it is met', (demand, version) => {
    expect(check(demand, version)).not.toThrow();
  });

  test.each<[string, number | undefined]>([
    ['2', 3],
    ['1,2', 3],
    ['0', 3],
    ['3', undefined],
    ['*', undefined],
  ])('when "%s" is demanded of version %s, then it is not met', (demand, version) => {
    expect(check(demand, version)).toThrow(failed);
  });

  test('when nothing has looked at the demand, then it is not passed over', () => {
    const precondition = preconditionOf('3');
    expect(() => precondition.requireChecked()).toThrow(expect.objectContaining({ code: 'INVALID_HEADER' }));
    precondition.expectVersion(3);
    expect(() => precondition.requireChecked()).not.toThrow();
    expect(() => preconditionOf('').requireChecked()).not.toThrow();
  });
});
