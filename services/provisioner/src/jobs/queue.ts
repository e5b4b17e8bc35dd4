import type { JobKind, Spec } from './job.ts';

/** Queues, the most urgent first. Each has room of its own in every worker, so that none waits for another. */
export const queues = ['high', 'default', 'low'] as const;

export type Queue = (typeof queues)[number];

/** A number of jobs for each queue. */
export type Room = Record<Queue, number>;

/** Queue of a kind: access that has to end does not wait for access that has to begin, nor that for what nobody waits for. */
export const queueOf: Record<JobKind, Queue> = {
  REVOKE: 'high',
  EXTEND: 'high',
  PROVISION: 'default',
  ROTATE: 'default',
  REAPPLY: 'low',
  REPORT: 'low',
  WELCOME_MAIL: 'low',
  TENANT_DEFAULTS: 'default',
};

/** How many jobs of each queue run at one target at a time, whichever instances have them: eight in all. */
export const placesAtTarget: Room = { high: 4, default: 3, low: 1 };

/** Names a target that only so many jobs may keep busy at a time: a login of the connector; null for what needs no care. */
export const targetOf = ({ connector, config: { login, target = login } }: Pick<Spec, 'connector' | 'config'>): string | null =>
  typeof target === 'string' ? `${connector} ${target}` : null;
