import { noTenant } from '@accessops/db';
import { emit } from '@accessops/events';
import { SettingChangedSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import type { Ctx } from '@accessops/service';

/** What is stored of a value: JSON, or for a secret the sealed JSON; neither when there is none. */
export interface Stored {
  value: string | null;
  sealed: Buffer | null;
}

/** The row of a key, locked; made when it is missing, so that there is something to lock. */
const lock = async ({ em, tenantId, now }: Ctx, key: string): Promise<Stored & { version: number }> => {
  await em.execute('insert into setting (tenant_id, key, version, updated_at) values (?, ?, 1, ?) on conflict do nothing', [
    tenantId,
    key,
    now(),
  ]);
  const [row] = await em.execute<(Stored & { version: number })[]>(
    'select value, sealed, version from setting where tenant_id = ? and key = ? for update',
    [tenantId, key],
  );
  if (!row) throw new Error(`The setting ${key} has gone while it was locked`);
  return row;
};

const shown = ({ value, sealed }: Stored): unknown => {
  if (sealed) return '(secret)';
  return value === null ? null : (JSON.parse(value) as unknown);
};

/** Stores a value at the context's level, or none, and tells of it. What changes nothing is not told; a new secret always is. Errors: PRECONDITION_FAILED. */
export const changeSetting = async (ctx: Ctx, key: string, after: Stored): Promise<void> => {
  const { em, tenantId } = ctx;
  const before = await lock(ctx, key);
  ctx.expectVersion(before.version);
  if (!after.sealed && !before.sealed && after.value === before.value) return;
  await em.execute('update setting set value = ?, sealed = ?, version = version + 1, updated_at = ? where tenant_id = ? and key = ?', [
    after.value,
    after.sealed,
    ctx.now(),
    tenantId,
    key,
  ]);
  emit(ctx, SettingChangedSchema, { key, tenantId }, `setting ${tenantId} ${key}`, {
    action: after.value === null && !after.sealed ? 'SETTING_RESET' : 'SETTING_CHANGED',
    entityType: 'SETTING',
    entityId: key,
    changes: {
      value: { before: shown(before), after: shown(after) },
      level: { after: tenantId === noTenant ? 'global' : 'tenant' },
    },
  });
};
