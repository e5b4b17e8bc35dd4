import type { Access } from '../connector.ts';
import { expiryOf } from '../grants/grant.ts';
import type { ClaimedJob, Spec } from './job.ts';

type Job = Pick<ClaimedJob, 'tenantId' | 'tenantSlug' | 'requesterId' | 'attempts' | 'fence' | 'kind' | 'grant' | 'waitingSince'> & {
  spec: Omit<Spec, 'acr' | 'handle'> & Partial<Pick<Spec, 'handle'>>;
};

const lengthOf = (duration: string): number => expiryOf(new Date(0), duration).getTime();

/** How long the access of a job lasts from now on; for an end, how long something of it could have lasted. */
const durationOf = ({ kind, grant, spec }: Job, now: Date): number => {
  const left = grant ? Math.max(grant.endsAt.getTime() - now.getTime(), 0) : 0;
  return kind === 'PROVISION' || kind === 'REVOKE' ? Math.max(left, lengthOf(spec.duration)) : left;
};

/** What a connector has to know of the access that a job is about. */
export const accessOf = (
  job: Job,
  now: Date,
  { answer = null, savedPlan = null }: Partial<Pick<Access, 'answer' | 'savedPlan'>> = {},
): Access => ({
  key: job.spec.key,
  tenantId: job.tenantId,
  tenantSlug: job.tenantSlug,
  holderId: job.requesterId,
  // Only a connector that has given it answers one.
  given: (job.spec.handle ?? null) !== null,
  resourceKey: job.spec.resourceKey,
  role: job.spec.role,
  durationMs: durationOf(job, now),
  now,
  config: job.spec.config,
  parameters: job.spec.parameters,
  attempt: job.attempts,
  fence: job.fence,
  waitingSince: job.waitingSince,
  answer,
  savedPlan,
});
