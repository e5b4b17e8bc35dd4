import { createOrm, listPage, newId, transaction } from '@accessops/db';
import { ListQuerySchema } from '@accessops/proto/accessops/common/v1/common_pb';
import { createLogger } from '@accessops/telemetry';
import { create, type MessageInitShape } from '@bufbuild/protobuf';
import type { EntityManager, MikroORM } from '@mikro-orm/postgresql';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { AuditEvent } from '../src/audit-event.ts';
import { tenantLog, wholeLog } from '../src/list-audit-events.ts';
import { type Suite, startSuite, where } from './suite.ts';

type Query = MessageInitShape<typeof ListQuerySchema>;

let suite: Suite;
let orm: MikroORM;
const tenantId = newId();
const length = 20_000;
beforeAll(async () => {
  suite = await startSuite();
  // The service makes them at the same moment; a row on its way to another partition would be refused then.
  await suite.admin.query(
    `select ensure_audit_partition((date_trunc('month', now()) + make_interval(months => ahead))::date) from generate_series(-1, 2) as ahead`,
  );
  // Only how they are found matters here: these rows are no chain.
  await suite.admin.query(
    `insert into audit_event (tenant_id, id, sequence, occurred_at, recorded_at, actor_id, actor_type, actor_email, action, entity_type, entity_id,
       changes, ip, user_agent, request_id, prev_hash, hash, leaf_hash)
     select case when n % 4 = 0 then gen_random_uuid() else $1 end, gen_random_uuid(), n, now() - n * interval '1 second', now(), 'actor-' || n % 100, 'user', '',
       'ACTION_' || n % 30, 'TYPE_' || n % 10, 'entity-' || n % 5000, '{}', '', '', 'request-' || n % 10000, h, h, h
     from generate_series(1, ${length}) n, sha256('') h`,
    [tenantId],
  );
  await suite.admin.query('vacuum analyze audit_event');
  orm = await createOrm({
    url: suite.database.appUrl('audit'),
    schema: 'audit',
    entities: [AuditEvent],
    log: createLogger('test', 'silent'),
  });
});
afterAll(async () => {
  await orm.close(true);
  await suite.close();
});

/** How many rows of the log this connection has looked at. */
const rowsRead = async (em: EntityManager) => {
  const [row] = await em.execute<{ count: number }[]>(
    `select sum(seq_tup_read + idx_tup_fetch)::int as count from pg_stat_xact_user_tables where relname like 'audit_event%'`,
  );
  return row?.count ?? 0;
};
const looksAt = (query: Query, everywhere = false) =>
  transaction(orm.em, everywhere ? 'all-tenants' : { tenantId }, async (em) => {
    const before = await rowsRead(em);
    const asked = create(ListQuerySchema, { limit: 20, ...query });
    await (everywhere ? listPage(em, wholeLog, asked) : listPage(em, tenantLog, asked, { tenantId }));
    return (await rowsRead(em)) - before;
  });
const sortBy = (field: string, descending: boolean): Query => ({ sort: [{ field, descending }] });

describe('a long log', () => {
  test.each<[string, Query]>([
    ['nothing', {}],
    ['the page after one far down', { after: '{"by":"-sequence","at":[200]}' }],
    ['actorId', where(['actorId', 'EQ', 'actor-7'])],
    ['an action', where(['action', 'EQ', 'ACTION_7'])],
    ['an action nobody took', where(['action', 'EQ', 'NOTHING'])],
    ['entityType', where(['entityType', 'EQ', 'TYPE_7'])],
    ['entityId', where(['entityId', 'EQ', 'entity-77'])],
    ['entityType and entityId', where(['entityType', 'EQ', 'TYPE_7'], ['entityId', 'EQ', 'entity-77'])],
    ['requestId', where(['requestId', 'EQ', 'request-777'])],
    ['id', where(['id', 'EQ', newId()])],
    ['a time', where(['occurredAt', 'LT', new Date(Date.now() - 19_000_000).toISOString()])],
    ['sequence', where(['sequence', 'LTE', '50'])],
  ])('when it is filtered by %s, then an index leads to the rows', async (_, query) => {
    expect(await looksAt(query)).toBeLessThan(100);
  });

  test.each(['occurredAt', 'actorId', 'action', 'entityType', 'entityId', 'requestId', 'sequence'])(
    'when it is sorted by %s, in either direction, then an index gives the order',
    async (field) => {
      expect(await looksAt(sortBy(field, false))).toBeLessThan(100);
      expect(await looksAt(sortBy(field, true))).toBeLessThan(100);
    },
  );

  test.each<[string, Query]>([
    ['nothing', {}],
    ['a tenant', where(['tenantId', 'EQ', tenantId])],
    ['id', where(['id', 'EQ', newId()])],
    ['a tenant and an actor', where(['tenantId', 'EQ', tenantId], ['actorId', 'EQ', 'nobody'])],
    ['nothing and sorted by time', sortBy('occurredAt', true)],
  ])('when it is read across tenants by %s, then an index leads to the rows', async (_, query) => {
    expect(await looksAt(query, true)).toBeLessThan(100);
  });
});
