import type { Event } from '@accessops/events';
import { defineEntity, p } from '@mikro-orm/postgresql';

/** UNSUPPORTED: the target cannot tell what it has. */
export type RunStatus = 'QUEUED' | 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'UNSUPPORTED';

/** An active grant whose access is not at the target. */
export interface Missing {
  grantId: string;
  holderId: string;
  role: string;
  /** The job that puts it back. */
  jobId: string;
}

/** Access of ours at the target that no grant stands for. */
export interface Surplus {
  /** Names the access: the id of the job that made it. */
  key: string;
  name: string;
  kind: string;
  /** The job that takes it away. */
  jobId: string;
}

/** Access that others have given. */
export interface Other {
  name: string;
  kind: string;
}

const ReconciliationSchema = defineEntity({
  name: 'Reconciliation',
  tableName: 'reconciliation',
  properties: {
    id: p.uuid().primary(),
    tenantId: p.uuid(),
    resourceId: p.uuid(),
    status: p.string().$type<RunStatus>(),
    /** Somebody has asked for it; otherwise it was time. */
    byHand: p.boolean(),
    origin: p.json<Event['origin']>(),
    /** Counts starts; also what tells a process that it has been replaced. */
    attempts: p.integer(),
    /** When it may be taken: at once, or once the process that has it is taken for dead. */
    dueAt: p.datetime(),
    createdAt: p.datetime(),
    startedAt: p.datetime().nullable(),
    finishedAt: p.datetime().nullable(),
    missing: p.json<Missing[]>(),
    surplus: p.json<Surplus[]>(),
    others: p.json<Other[]>(),
    error: p.text().nullable(),
  },
});

/** One comparison of what a target has with the grants of a resource: the row is the queue entry and the report. */
export class Reconciliation extends ReconciliationSchema.class {}
ReconciliationSchema.setClass(Reconciliation);
