import type { Event } from '@accessops/events';
import { defineEntity, p } from '@mikro-orm/postgresql';
import type { Handle } from '../connector.ts';
import type { Sealed } from '../credentials/vault.ts';
import type { Money } from '../grants/money.ts';
import type { Loss } from '../standing.ts';
import type { Queue } from './queue.ts';
import type { Step } from './step.ts';

/**
 * What a job about an access does. EXTEND has the access of a grant last longer, ROTATE gets it another credential; REAPPLY puts back what its target does not have any
 * more.
 */
export type AccessKind = 'PROVISION' | ChangeKind | 'REVOKE';

/** What changes access that is there; as in the index job_change. */
export const changeKinds = ['EXTEND', 'ROTATE', 'REAPPLY'] as const;
export type ChangeKind = (typeof changeKinds)[number];

/** The same, for SQL. */
export const changeKindsSql = changeKinds.map((kind) => `'${kind}'`).join(', ');

export const isChange = (kind: JobKind): kind is ChangeKind => changeKinds.some((one) => one === kind);

/** What any other job does; `tasks/task.ts` says how. */
export type TaskKind = 'REPORT' | 'WELCOME_MAIL' | 'TENANT_DEFAULTS';
export type JobKind = AccessKind | TaskKind;
export type JobStatus = 'QUEUED' | 'RUNNING' | 'SUCCEEDED' | 'FAILED';

/** What is to be made or taken away, and by which connector. */
export interface Spec {
  connector: string;
  /** The connector's key: the id of the job that provisions. */
  key: string;
  resourceId: string;
  resourceKey: string;
  role: string;
  /** ISO 8601. */
  duration: string;
  config: Record<string, unknown>;
  parameters: Record<string, unknown>;
  /** `aal2`: the credential takes a second factor of whoever has one. Missing from what was queued before it was told. */
  acr?: string;
  /** As it was when the access was approved; null or missing: free. */
  pricePerHour?: Money | null;
  /** What the connector answered; null before. */
  handle: Handle | null;
  /** Of an EXTEND job: when the access is to end then; RFC 3339. */
  until?: string;
}

/** What a task has to know; kept in the clear, so never a secret. */
export type TaskInput = Record<string, unknown>;

const JobSchema = defineEntity({
  name: 'Job',
  tableName: 'job',
  properties: {
    id: p.uuid().primary(),
    tenantId: p.uuid(),
    /** The request that it carries out; null when it belongs to none. */
    requestId: p.uuid().nullable(),
    grantId: p.uuid().nullable(),
    kind: p.string().$type<JobKind>(),
    queue: p.string().$type<Queue>(),
    status: p.string().$type<JobStatus>(),
    attempts: p.integer(),
    /** Null: tried until it works. */
    maxAttempts: p.integer().nullable(),
    /** By an admin: what is left to do is to clear up. */
    cancelled: p.boolean(),
    lastError: p.text().nullable(),
    /** When a worker may take it: after the back-off, or once the lease of the one that has it has run out. */
    dueAt: p.datetime(),
    /** Since when an answer is waited for that the target has promised. */
    waitingSince: p.datetime().nullable(),
    /** The process that has it, or had it last. */
    worker: p.uuid().nullable(),
    requesterId: p.uuid(),
    origin: p.json<Event['origin']>(),
    /** Of a task: its TaskInput. */
    spec: p.json<Spec>(),
    /** What has been done, the latest last. */
    steps: p.json<Step[]>(),
    createdAt: p.datetime(),
    startedAt: p.datetime().nullable(),
    finishedAt: p.datetime().nullable(),
  },
});

/** Something to be done outside of any transaction. The row is the queue entry as well. */
export class Job extends JobSchema.class {}
JobSchema.setClass(Job);

/** How often a job is tried, but for one that takes access away; a retry by an admin gives it as many again. */
export const attemptBudget = 5;

/** A grant as it was when a job about it was claimed. */
export interface GrantAtClaim {
  /** When the access is to end at the target at the latest. */
  endsAt: Date;
  /** Whether it was there to be changed. */
  inForce: boolean;
}

/** A job about an access as a worker holds it. */
export interface ClaimedJob {
  id: string;
  tenantId: string;
  requestId: string;
  grantId: string | null;
  kind: AccessKind;
  queue: Queue;
  /** Where only so many jobs run at a time; null without such a limit. */
  target: string | null;
  /** Counts this attempt; also what tells a worker that it has been replaced. */
  attempts: number;
  maxAttempts: number | null;
  /** Fencing token of this attempt: greater than that of any before it under the same key. */
  fence: number;
  /** The grant that it is about; null when it is to make one. */
  grant: GrantAtClaim | null;
  cancelled: boolean;
  lastError: string | null;
  /** An earlier attempt may have reached the target: it timed out, or its worker was lost. */
  unsure: boolean;
  /** Since when an answer is waited for that the target has promised. */
  waitingSince: Date | null;
  /** That answer, if it has come. */
  answer: Sealed | null;
  /** What its plan wanted to have kept. */
  savedPlan: Sealed | null;
  /** Short name of the tenant; null as long as its creation has not been heard of. */
  tenantSlug: string | null;
  requesterId: string;
  origin: Event['origin'];
  spec: Spec;
  /** Of earlier attempts. */
  steps: Step[];
  /** Why the requester may hold no access; null when nothing is against it. */
  loss: Loss | null;
}

/** Any other job as a worker holds it. */
export interface ClaimedTask extends Omit<ClaimedJob, 'requestId' | 'kind' | 'spec'> {
  requestId: null;
  kind: TaskKind;
  spec: TaskInput;
}

/** Whether a job is about no access. */
export const isTask = (job: ClaimedJob | ClaimedTask): job is ClaimedTask => job.requestId === null;

/** Which attempt this is since the job was queued, or queued again by an admin. */
export const attemptOfBudget = ({ attempts, maxAttempts }: Pick<ClaimedJob, 'attempts' | 'maxAttempts'>): number =>
  maxAttempts === null ? attempts : attempts - (maxAttempts - attemptBudget);

/** Whether no other attempt is left after this one. */
export const isLastAttempt = ({ attempts, maxAttempts }: Pick<ClaimedJob, 'attempts' | 'maxAttempts'>): boolean =>
  maxAttempts !== null && attempts >= maxAttempts;

/** Whether the budget was used up before: what is left to do is to clear up after the attempts. */
export const isSpent = ({ attempts, maxAttempts }: Pick<ClaimedJob, 'attempts' | 'maxAttempts'>): boolean =>
  maxAttempts !== null && attempts > maxAttempts;
