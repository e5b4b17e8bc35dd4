import { AppError } from '@accessops/errors';
import { defineEntity, p } from '@mikro-orm/postgresql';
import type { Person } from './person.ts';
import { type Approver, fits, keysOfStage, type Stage } from './stage.ts';
import { type Tally, tally } from './tally.ts';
import type { Vote } from './vote.ts';

export const caseStatuses = ['PENDING', 'APPROVED', 'REJECTED', 'CANCELLED'] as const;
export type CaseStatus = (typeof caseStatuses)[number];

/** A stage of the plan and how it stands. */
export interface StageProgress extends Stage {
  approvals: number;
  /** Whether one more person who fits brings the case further. */
  open: boolean;
}

const ApprovalCaseSchema = defineEntity({
  name: 'ApprovalCase',
  tableName: 'approval_case',
  properties: {
    requestId: p.uuid().primary(),
    tenantId: p.uuid(),
    requesterId: p.uuid(),
    requesterEmail: p.text(),
    /** Of a service account's request: who might have filed it as the account. */
    custodianIds: p.array().nullable(),
    resourceId: p.uuid(),
    role: p.text(),
    justification: p.text(),
    duration: p.text(),
    /** Empty only when the end of the request was heard of before its beginning. */
    stages: p.json<StageProgress[]>(),
    /** Keys of the open stages: whom one more vote is asked of. */
    openTo: p.array(),
    status: p.enum(caseStatuses),
    createdAt: p.datetime(),
    decidedAt: p.datetime().nullable(),
    version: p.integer().version(),
  },
});

/** A stage nobody has voted for yet. */
export const freshStage = ({ name, required, roles, teamId }: Stage): StageProgress => ({
  name,
  required,
  roles: [...roles],
  teamId,
  approvals: 0,
  open: true,
});

/** The keys of all open stages, each once. */
export const keysOfOpen = (stages: StageProgress[]): string[] => [
  ...new Set(stages.filter(({ open }) => open).flatMap((stage) => keysOfStage(stage))),
];

/** The 409 of a request that is over. */
export const notPending = (status: string): AppError =>
  new AppError('REQUEST_NOT_PENDING', `The request is ${status}.`, { members: { requestStatus: status } });

/** The decision on one request: its stages, and what has become of it. The last word on its state has `requests`. */
export class ApprovalCase extends ApprovalCaseSchema.class {
  get approvals(): number {
    return this.stages.reduce((sum, stage) => sum + stage.approvals, 0);
  }

  get requiredApprovals(): number {
    return this.stages.reduce((sum, stage) => sum + stage.required, 0);
  }

  /** Throws REQUEST_NOT_PENDING when it is over. */
  assertPending(): void {
    if (this.status !== 'PENDING') throw notPending(this.status);
  }

  /** The first stage that asks for somebody like this; open ones come first. */
  stageFor(approver: Approver): string | undefined {
    const [first] = this.stages.filter((stage) => fits(stage, approver)).sort((a, b) => Number(b.open) - Number(a.open));
    return first?.name;
  }

  /** Counts the approvals anew, by what the voters are now: somebody inactive or no longer fit does not count. */
  count(votes: Vote[], people: Person[]): Tally {
    const active = new Map(people.filter(({ active }) => active).map((person) => [person.id, person]));
    const voters = votes.filter(({ verdict }) => verdict === 'APPROVE').flatMap(({ deciderId }) => active.get(deciderId) ?? []);
    const result = tally(this.stages, voters);
    for (const vote of votes) vote.stage = this.stages[result.stageOf.get(vote.deciderId) ?? -1]?.name ?? null;
    this.stages = this.stages.map((stage, index) => ({ ...stage, ...result.stages[index] }));
    this.openTo = keysOfOpen(this.stages);
    return result;
  }

  /** Ends the voting. */
  decide(outcome: 'APPROVED' | 'REJECTED', at: Date): void {
    this.assertPending();
    this.status = outcome;
    this.decidedAt = at;
  }
}
ApprovalCaseSchema.setClass(ApprovalCase);
