import { describe, expect, test } from 'vitest';
import { type Approver, fits, type Stage } from './stage.ts';
import { tally } from './tally.ts';

const stage = (name: string, required: number, roles: string[], teamId = ''): Stage => ({ name, required, roles, teamId });
const person = (id: string, orgRoles: string[], teamIds: string[] = []): Approver => ({ id, orgRoles, teamIds });

const twoOfAnyone = [stage('approval', 2, ['approver', 'admin'])];
const teamAndAdmin = [stage('owning-team', 1, [], 'owners'), stage('admin', 1, ['admin'])];
const anyoneAndAdmin = [stage('approval', 1, ['approver', 'admin']), stage('admin', 1, ['admin'])];

describe('tally', () => {
  test('when nobody has voted, then every stage is open and nothing is complete', () => {
    expect(tally(twoOfAnyone, [])).toMatchObject({
      stages: [{ approvals: 0, open: true }],
      approvals: 0,
      required: 2,
      complete: false,
    });
  });

  test('when one of two approvals is there, then the case waits for the other', () => {
    const result = tally(twoOfAnyone, [person('a', ['approver'])]);
    expect(result).toMatchObject({ stages: [{ approvals: 1, open: true }], complete: false });
    expect(result.stageOf.get('a')).toBe(0);
  });

  test('when two people approve, then the quorum of two is there and no stage is open', () => {
    expect(tally(twoOfAnyone, [person('a', ['approver']), person('b', ['admin'])])).toMatchObject({
      stages: [{ approvals: 2, open: false }],
      complete: true,
    });
  });

  test('when one person stands there twice, then it counts once', () => {
    const twice = person('a', ['approver']);
    expect(tally(twoOfAnyone, [twice, twice])).toMatchObject({ approvals: 1, complete: false });
  });

  test('when one person fits both stages, then it fills one of them only', () => {
    const both = person('a', ['admin'], ['owners']);
    expect(tally(teamAndAdmin, [both])).toMatchObject({ approvals: 1, complete: false });
  });

  test('when somebody fits no stage, then the vote counts for none', () => {
    const result = tally(teamAndAdmin, [person('a', ['approver'])]);
    expect(result.approvals).toBe(0);
    expect(result.stageOf.has('a')).toBe(false);
  });

  test('when somebody fit for two stages has taken the only one of another, then they move over', () => {
    const admin = person('admin', ['admin']);
    const approver = person('approver', ['approver']);
    const result = tally(anyoneAndAdmin, [admin, approver]);
    expect(result.complete).toBe(true);
    expect(result.stageOf.get('admin')).toBe(1);
    expect(result.stageOf.get('approver')).toBe(0);
  });

  test('when moving takes a chain of people, then the whole chain moves', () => {
    const stages = [stage('first', 1, ['a', 'b']), stage('second', 1, ['b', 'c']), stage('third', 1, ['c', 'd'])];
    const voters = [person('1', ['a', 'b']), person('2', ['b', 'c']), person('3', ['a'])];
    const result = tally(stages, voters);
    expect(result.complete).toBe(true);
    expect([...result.stageOf].sort()).toEqual([
      ['1', 1],
      ['2', 2],
      ['3', 0],
    ]);
  });

  test('when a full stage could give somebody away, then it is open; when it cannot, then not', () => {
    expect(tally(anyoneAndAdmin, [person('admin', ['admin'])]).stages).toEqual([
      { approvals: 1, open: true },
      { approvals: 0, open: true },
    ]);
    expect(tally(anyoneAndAdmin, [person('approver', ['approver'])]).stages).toEqual([
      { approvals: 1, open: false },
      { approvals: 0, open: true },
    ]);
  });

  test('when more approve than needed, then those who came first count', () => {
    const result = tally(
      twoOfAnyone,
      ['a', 'b', 'c'].map((id) => person(id, ['approver'])),
    );
    expect([...result.stageOf.keys()].sort()).toEqual(['a', 'b']);
  });
});

/** Mulberry32: the same numbers in each run. */
const numbers = (seed: number) => () => {
  seed = (seed + 0x6d2b79f5) | 0;
  let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed);
  mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
  return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
};

/** The largest number of votes that can count, by trying everything. */
const bestByForce = (stages: Stage[], voters: Approver[], room = stages.map(({ required }) => required)): number => {
  const [first, ...rest] = voters;
  if (!first) return 0;
  const without = bestByForce(stages, rest, room);
  const withFirst = stages.map((stage, index) =>
    fits(stage, first) && (room[index] ?? 0) > 0
      ? 1 +
        bestByForce(
          stages,
          rest,
          room.map((places, other) => places - Number(other === index)),
        )
      : 0,
  );
  return Math.max(without, ...withFirst);
};

describe('tally of arbitrary plans and votes', () => {
  const names = ['r1', 'r2', 'r3', 'r4'];
  const cases = Array.from({ length: 400 }, (_, seed) => {
    const next = numbers(seed);
    const some = () => names.filter(() => next() < 0.4);
    const stages = Array.from({ length: 1 + Math.floor(next() * 3) }, (_, index) =>
      stage(`s${index}`, 1 + Math.floor(next() * 2), some(), next() < 0.3 ? 'team' : ''),
    );
    const voters = Array.from({ length: Math.floor(next() * 7) }, (_, index) => person(`p${index}`, some(), next() < 0.3 ? ['team'] : []));
    return { stages, voters };
  });

  test('when votes are counted, then as many count as can', () => {
    for (const { stages, voters } of cases) expect(tally(stages, voters).approvals).toBe(bestByForce(stages, voters));
  });

  test('when votes are counted, then each counts for a stage that asks for the person, and no stage for more than it requires', () => {
    for (const { stages, voters } of cases) {
      const result = tally(stages, voters);
      for (const [id, index] of result.stageOf) {
        const [at, voter] = [stages[index], voters.find((other) => other.id === id)];
        expect(at && voter && fits(at, voter)).toBe(true);
      }
      for (const [index, { approvals }] of result.stages.entries()) {
        expect(approvals).toBe([...result.stageOf.values()].filter((at) => at === index).length);
        expect(approvals).toBeLessThanOrEqual(stages[index]?.required ?? 0);
      }
      expect(result.complete).toBe(result.approvals === stages.reduce((sum, { required }) => sum + required, 0));
    }
  });

  test('when the order of the votes changes, then the number that counts does not', () => {
    for (const { stages, voters } of cases) expect(tally(stages, voters.toReversed()).approvals).toBe(tally(stages, voters).approvals);
  });

  test('when one more vote comes, then nobody who counted stops counting', () => {
    for (const { stages, voters } of cases) {
      const before = tally(stages, voters.slice(0, -1));
      const after = tally(stages, voters);
      for (const id of before.stageOf.keys()) expect(after.stageOf.has(id)).toBe(true);
    }
  });

  test('when a stage is open, then exactly one more person who fits it alone would count', () => {
    for (const { stages, voters } of cases) {
      const result = tally(stages, voters);
      for (const [index, { open }] of result.stages.entries()) {
        const marked = stages.map((other, at) => (at === index ? { ...other, roles: [...other.roles, 'newcomer'] } : other));
        const more = tally(marked, [...voters, person('newcomer', ['newcomer'])]);
        expect(more.approvals - result.approvals).toBe(Number(open));
      }
    }
  });

  test('when the same votes are counted twice, then the result is the same', () => {
    for (const { stages, voters } of cases) expect(tally(stages, voters)).toEqual(tally(stages, voters));
  });
});
