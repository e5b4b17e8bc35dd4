import { readFileSync } from 'node:fs';
import { createOrm, createServiceSchema, migrate, newId, poolOf, transaction } from '@accessops/db';
import { unitOfWork } from '@accessops/events';
import { AnyEventSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import { createLogger } from '@accessops/telemetry';
import { create, toBinary } from '@bufbuild/protobuf';
import pg from 'pg';
import { createAppender } from '../src/append-events.ts';
import { AuditEvent } from '../src/audit-event.ts';
import { verifyAuditChain } from '../src/verify-audit-chain.ts';

const env = JSON.parse(readFileSync('/tmp/auditscratch/env.json', 'utf8'));
const base = `127.0.0.1:${env.pg}`;
const admin = new pg.Client({ connectionString: `postgres://postgres:x@${base}/postgres` });
await admin.connect();
const database = 'bench_' + Date.now();
await admin.query(`create database ${database}`);
const su = `postgres://postgres:x@${base}/${database}`;
await createServiceSchema(su, { service: 'audit', ownerPassword: 'o', appPassword: 'a' });
const dir = new URL('../migrations', import.meta.url).pathname;
const owner = `postgres://audit_owner:o@${base}/${database}`;
console.log(await migrate({ url: owner, service: 'audit', directory: dir, direction: 'up' }));
console.log(await migrate({ url: owner, service: 'audit', directory: dir, direction: 'down' }));
console.log(await migrate({ url: owner, service: 'audit', directory: dir, direction: 'up' }));
const log = createLogger('audit', 'warn');
const orm = await createOrm({ url: `postgres://audit:a@${base}/${database}`, schema: 'audit', entities: [AuditEvent], log });
const pool = await poolOf(orm);
const now = () => new Date();
const outbox = { orm, service: 'audit', wake() {} };
const apply = createAppender({ pool, now } as never);
const tenants = Array.from({ length: Number(process.argv[4] ?? 1) }, newId);
const users = Array.from({ length: 50 }, newId);
const kinds = ['REQUEST', 'JOB', 'GRANT', 'USER', 'TEAM'];
const make = (tenantId: string) => {
  const id = newId();
  return {
    id,
    type: 'X',
    tenantId,
    aggregateId: id,
    occurredAt: new Date(),
    origin: { requestId: id, ip: '10.0.0.1', userAgent: 'curl/8', traceparent: '' },
    payload: toBinary(
      AnyEventSchema,
      create(AnyEventSchema, {
        change: {
          action: 'REQUEST_CREATED' + Math.floor(Math.random() * 20),
          entityType: kinds[Math.floor(Math.random() * 5)]!,
          entityId: newId(),
          actor: { id: users[Math.floor(Math.random() * 50)]!, type: 'user', email: 'requester@acme.test' },
          origin: { requestId: newId(), ip: '10.0.0.1', userAgent: 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36' },
          changesJson: JSON.stringify({
            status: { before: null, after: 'PENDING' },
            role: { after: 'reader' },
            justification: { after: 'need to look at a customer problem "x"' },
          }),
        },
      }),
    ),
  };
};
const batch = Number(process.argv[2] ?? 100),
  total = Number(process.argv[3] ?? 30000);
const batches = Array.from({ length: total / batch }, (_, i) => Array.from({ length: batch }, () => make(tenants[i % tenants.length]!)));
const { takeFresh } = await import('../../../packages/events/src/inbox.ts');
const run = async (parallel: number) => {
  const t0 = performance.now();
  const cpu0 = process.cpuUsage();
  const queue = batches.splice(0, total / batch / 2);
  const n = queue.length * batch;
  await Promise.all(
    Array.from({ length: parallel }, async () => {
      for (let b = queue.pop(); b; b = queue.pop()) {
        const events = b;
        await unitOfWork(outbox as never, { tenantId: events[0]!.tenantId }, async (em) => {
          await takeFresh(
            em,
            events.map((e) => e.id),
            now(),
          );
          await apply(em, events);
        });
      }
    }),
  );
  const s = (performance.now() - t0) / 1000;
  const cpu = process.cpuUsage(cpu0);
  console.log(
    `parallel ${parallel}: ${n} events in ${s.toFixed(2)} s = ${Math.round(n / s)}/s, node cpu ${((cpu.user + cpu.system) / 1e6).toFixed(2)} s`,
  );
};
await run(1);
await run(5);
const read = (work: any) => transaction(orm.em, { tenantId: tenants[0]! }, (em) => work({ em }));
const t0 = performance.now();
console.log(await verifyAuditChain({ tenantId: tenants[0]!, signal: new AbortController().signal, read } as never), performance.now() - t0);
console.log((await admin.query(`select 1`)).rowCount, database);
await orm.close(true);
await admin.end();
