import type { Spec } from '../jobs/job.ts';

export type PlanStatus = 'PENDING' | 'READY' | 'FAILED';

/** What would be made, and by which connector: of the job that there may be. */
export type PlanTarget = Omit<Spec, 'key' | 'acr' | 'pricePerHour' | 'handle'>;

/** A plan that is to be made, as a planner holds it. */
export interface ClaimedPlan {
  requestId: string;
  tenantId: string;
  tenantSlug: string | null;
  /** The job's, once there is one; what a plan names is named by it. */
  jobId: string;
  requesterId: string;
  target: PlanTarget;
  /** Counts this attempt. */
  attempts: number;
}

/** How often it is tried to make a plan. */
export const planAttempts = 8;
