import { type Approver, fits, type Stage } from './stage.ts';

/** How the votes of a case stand. */
export interface Tally {
  /** One entry per stage, in the order of the plan. */
  stages: {
    approvals: number;
    /** Whether one more person who fits would bring the case further, if need be by moving others to other stages. */
    open: boolean;
  }[];
  /** Voter → index of the stage the vote goes to; who is missing does not count. */
  stageOf: ReadonlyMap<string, number>;
  approvals: number;
  required: number;
  complete: boolean;
}

/**
 * Gives each vote to at most one stage so that as many as possible count: a maximum bipartite matching of people to the
 * places of the stages by augmenting paths (Kuhn, 1955; Hopcroft and Karp, 1973). Earlier voters keep their place among
 * those who count, earlier stages are filled first: the same input has the same result.
 */
export const tally = (stages: readonly Stage[], voters: readonly Approver[]): Tally => {
  const people = [...new Map(voters.map((voter) => [voter.id, voter])).values()];
  const takers: Approver[][] = stages.map(() => []);
  const hasRoom = (index: number) => (takers[index]?.length ?? 0) < (stages[index]?.required ?? 0);

  const place = (voter: Approver, tried: Set<number>): boolean => {
    const mine = stages.flatMap((stage, index) => (fits(stage, voter) ? [index] : []));
    const free = mine.find(hasRoom);
    if (free !== undefined) {
      takers[free]?.push(voter);
      return true;
    }
    for (const index of mine) {
      if (tried.has(index)) continue;
      tried.add(index);
      const there = takers[index] ?? [];
      const moved = there.findIndex((other) => place(other, tried));
      if (moved >= 0) {
        there[moved] = voter;
        return true;
      }
    }
    return false;
  };
  for (const voter of people) place(voter, new Set());

  // A full stage is open too when one of its people could go to an open one.
  const open = stages.map((_, index) => hasRoom(index));
  const canLeave = (index: number) => takers[index]?.some((taker) => stages.some((stage, other) => open[other] && fits(stage, taker)));
  for (let grown = true; grown; ) {
    const next = open.findIndex((isOpen, index) => !isOpen && canLeave(index));
    grown = next >= 0;
    if (grown) open[next] = true;
  }

  const approvals = takers.reduce((sum, { length }) => sum + length, 0);
  const required = stages.reduce((sum, stage) => sum + stage.required, 0);
  return {
    stages: stages.map((_, index) => ({ approvals: takers[index]?.length ?? 0, open: open[index] ?? false })),
    stageOf: new Map(takers.flatMap((there, index) => there.map(({ id }) => [id, index] as const))),
    approvals,
    required,
    complete: approvals === required,
  };
};
