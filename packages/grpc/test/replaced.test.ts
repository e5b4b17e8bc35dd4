import { AuditService } from '@accessops/proto/accessops/audit/v1/audit_pb';
import { expect, onTestFinished, test } from 'vitest';
import { startBalancer } from '../../testing/src/balancer.ts';
import { patienceMs } from '../../testing/src/patience.ts';
import { until } from '../../testing/src/until.ts';
import { connect } from '../src/index.ts';
import { type Suite, startSuite, type TestHandlers } from './suite.ts';

const portOf = ({ address }: Suite) => Number(address.split(':')[1]);

test('when the servers behind an address are replaced again and again under load, then no call fails, and none is made twice', async () => {
  const taken = new Set<string>();
  let doubled = 0;
  const startServer = () =>
    startSuite({
      listAuditEvents: async (_, { query }) => {
        const id = query?.after ?? '';
        if (taken.has(id)) doubled++;
        taken.add(id);
        await new Promise((resolve) => setTimeout(resolve, Math.random() * 20));
        return { page: { next: id } };
      },
    });
  let servers = [await startServer(), await startServer()];
  const balancer = await startBalancer(0);
  for (const server of servers) balancer.add(portOf(server));
  const clients = [1, 2].map(() => connect(AuditService, `127.0.0.1:${balancer.port}`));
  onTestFinished(async () => {
    for (const client of clients) client.close();
    await balancer.close();
    for (const server of servers) await server.close();
  });

  let stopping = false;
  let answered = 0;
  const failed: unknown[] = [];
  const callAgainAndAgain = async (_: unknown, caller: number) => {
    for (let call = 0; !stopping; call++) {
      const id = `${caller} ${call}`;
      const outcome = await clients[caller % 2]?.listAuditEvents({ query: { after: id } }).catch((error: unknown) => error);
      if ((outcome as { page?: { next: string } }).page?.next === id) answered++;
      else failed.push(outcome);
    }
  };
  const callers = Array.from({ length: 50 }, callAgainAndAgain);
  for (let round = 0; round < 20; round++) {
    const before = answered;
    await until(() => failed.length > 0 || answered > before + 100);
    const [old, ...others] = servers;
    const fresh = await startServer();
    balancer.add(portOf(fresh));
    if (old) balancer.remove(portOf(old));
    await old?.server.close(patienceMs);
    old?.client.close();
    servers = [...others, fresh];
  }
  stopping = true;
  await Promise.all(callers);
  expect(failed).toEqual([]);
  expect({ doubled, lost: taken.size - answered }).toEqual({ doubled: 0, lost: 0 });
  expect(answered).toBeGreaterThan(1000);
});

test('when a server comes to another behind an address, then calls soon go to it as well, and none fails', async () => {
  const counts = [0, 0];
  const startServer = (index: number) => {
    const handlers: Partial<TestHandlers> = {
      listAuditEvents: async () => {
        counts[index] = (counts[index] ?? 0) + 1;
        return {};
      },
    };
    return startSuite(handlers, {}, '127.0.0.1:0', undefined, 200);
  };
  const servers = [await startServer(0), await startServer(1)];
  const balancer = await startBalancer(0);
  balancer.add(portOf(servers[0] as Suite));
  const client = connect(AuditService, `127.0.0.1:${balancer.port}`);
  onTestFinished(async () => {
    client.close();
    await balancer.close();
    for (const server of servers) await server.close();
  });

  await client.listAuditEvents({});
  balancer.add(portOf(servers[1] as Suite));
  await until(async () => {
    await Promise.all(Array.from({ length: 10 }, () => client.listAuditEvents({})));
    return (counts[1] ?? 0) > 0;
  });
  const before = [...counts];
  await until(async () => {
    await client.listAuditEvents({});
    return counts.every((count, index) => count > (before[index] ?? 0));
  });
});
