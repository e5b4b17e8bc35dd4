import { AppError } from '@accessops/errors';
import type { Ctx } from '@accessops/service';

/** The catalogue and the console show the same: one may look who has the permission of either. Errors: PERMISSION_DENIED. */
export const mayLook = async ({ authorize, tenantId }: Ctx, kind: 'resource' | 'resource_type', action: 'list' | 'read'): Promise<void> => {
  try {
    await authorize('catalog', 'read', { tenantId });
  } catch (error) {
    if (!(error instanceof AppError && error.code === 'PERMISSION_DENIED')) throw error;
    await authorize(kind, action, { tenantId });
  }
};
