import { type Access, finalFence } from '../connector.ts';
import { expiryOf } from '../grants/grant.ts';
import type { ClaimedJob, Spec } from './job.ts';

const lengthOf = (duration: string): number => expiryOf(new Date(0), duration).getTime();

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
  durationMs: lengthOf(job.spec.duration),
  config: job.spec.config,
  parameters: job.spec.parameters,
  attempt: job.attempts,
  fence: job.kind === 'REVOKE' ? finalFence : job.attempts,
  waitingSince: job.waitingSince,
  answer,
  savedPlan,
});
