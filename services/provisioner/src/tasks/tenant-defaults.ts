import { AppError, type Code } from '@accessops/errors';
import { emit } from '@accessops/events';
import { TenantProvisionedSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import type { Neighbours } from './neighbours.ts';
import type { Task } from './task.ts';

// To try the whole way with, from request to end, without touching anything.
const sandbox = { key: 'sandbox', name: 'Sandbox' };
const typeOfSandbox = { ...sandbox, connector: 'simulated', roles: ['reader', 'writer'], sensitivity: 'low', maxDuration: 'PT8H' };

/** Somebody was faster and has made one like it, or has no room: theirs stands. */
const unless = async <T>(codes: Code[], work: Promise<T>): Promise<T | undefined> => {
  try {
    return await work;
  } catch (error) {
    if (error instanceof AppError && codes.includes(error.code)) return undefined;
    throw error;
  }
};

/** Makes what a new tenant begins with: a sandbox in its catalog. Once, however often it is tried. */
export const createTenantDefaultsTask = ({ requests, optionsFor }: Neighbours): Task => ({
  deadlineMs: 60_000,
  run: async (job, signal) => {
    const type = await unless(
      ['RESOURCE_TYPE_KEY_TAKEN'],
      requests.createResourceType(typeOfSandbox, await optionsFor(job, signal, 'type')),
    );
    const resource =
      type &&
      (await unless(
        // Also when the type was deleted again before its resource was made.
        ['RESOURCE_KEY_TAKEN', 'LICENSE_LIMIT_REACHED', 'INVALID_FIELDS'],
        requests.createResource({ ...sandbox, resourceTypeId: type.id }, await optionsFor(job, signal, 'resource')),
      ));
    return async (ctx) => {
      const { tenantId } = job;
      emit(ctx, TenantProvisionedSchema, { tenantId }, tenantId, {
        action: 'TENANT_PROVISIONED',
        entityType: 'TENANT',
        entityId: tenantId,
        changes: resource ? { sandbox: { after: resource.id } } : {},
      });
    };
  },
});
