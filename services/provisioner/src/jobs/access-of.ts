import { type Access, finalFence } from '../connector.ts';
import { expiryOf } from '../grants/grant.ts';
import type { ClaimedJob, Spec } from './job.ts';

const lengthOf = (duration: string): number => expiryOf(new Date(0), duration).getTime();

/** Time that is left of an access that has begun; otherwise all of it. */
const timeOf = ({ duration, until }: Pick<Spec, 'duration' | 'until'>): number =>
  until ? Math.max(0, new Date(until).getTime() - Date.now()) : lengthOf(duration);

/** Which number an attempt has among all that were made under the key. */
export const fenceOf = ({ kind, attempts, spec }: Pick<ClaimedJob, 'kind' | 'attempts'> & { spec: Pick<Spec, 'fence'> }): number =>
  kind === 'REVOKE' ? finalFence : (spec.fence ?? 0) + attempts;

/** What a connector has to know of the access that a job is about. */
export const accessOf = (
  job: Pick<ClaimedJob, 'tenantId' | 'tenantSlug' | 'requesterId' | 'attempts' | 'kind' | 'waitingSince'> & {
    spec: Omit<Spec, 'acr' | 'handle'>;
  },
  { answer = null, savedPlan = null }: Partial<Pick<Access, 'answer' | 'savedPlan'>> = {},
): Access => ({
  key: job.spec.key,
  tenantId: job.tenantId,
  tenantSlug: job.tenantSlug,
  holderId: job.requesterId,
  resourceKey: job.spec.resourceKey,
  role: job.spec.role,
  durationMs: timeOf(job.spec),
  config: job.spec.config,
  parameters: job.spec.parameters,
  attempt: job.attempts,
  fence: fenceOf(job),
  waitingSince: job.waitingSince,
  answer,
  savedPlan,
});
