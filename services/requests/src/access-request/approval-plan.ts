import { AppError } from '@accessops/errors';
import { z } from 'zod';

const stage = z
  .object({
    name: z.string().min(1),
    /** How many different people have to agree. */
    required: z.number().int().min(1).max(20),
    roles: z.array(z.string().min(1)),
    /** Empty: the roles decide. */
    teamId: z.string(),
    /** `aal2`: decided on with a second factor, by whoever has one. */
    acr: z.literal('aal2').optional(),
  })
  .refine(({ roles, teamId }) => roles.length > 0 || teamId !== '', 'nobody could decide');

const plan = z.object({ stages: z.array(stage).max(10), maxDurationSeconds: z.number().positive() });

export type Stage = z.infer<typeof stage>;
export type ApprovalPlan = z.infer<typeof plan>;

/** The plan out of a decision's outputs. Without exactly one good plan nothing is filed. Errors: DEPENDENCY_UNAVAILABLE. */
export const approvalPlan = (outputs: readonly unknown[]): ApprovalPlan => {
  const result = plan.safeParse(outputs.length === 1 ? outputs[0] : undefined);
  if (!result.success) throw new AppError('DEPENDENCY_UNAVAILABLE', 'Policy gave no approval plan', { cause: result.error });
  return result.data;
};

/** How many approvals a plan needs in all. */
export const requiredApprovals = (stages: readonly Stage[]): number => stages.reduce((sum, { required }) => sum + required, 0);

/** `aal2` when a stage demands a second factor; empty when none does. */
export const demandedAcr = (stages: readonly Stage[]): string => stages.find(({ acr }) => acr)?.acr ?? '';
