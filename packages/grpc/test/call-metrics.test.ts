import { AppError } from '@accessops/errors';
import { metricsPage, Registry } from '@accessops/telemetry';
import { afterEach, expect, test } from 'vitest';
import { callMetrics, Metadata } from '../src/index.ts';
import { type Suite, startSuite } from './suite.ts';

let suite: Suite | undefined;
afterEach(async () => suite?.close());

test('when calls end, then both sides tell how long they took, by method and status, and point to traces that are kept', async () => {
  const registry = new Registry();
  const answers = [
    async () => ({}),
    async () => Promise.reject(new AppError('REQUEST_NOT_FOUND')),
    async () => Promise.reject(new Error('bug')),
  ];
  const listAuditEvents = () => answers.shift()?.() as Promise<object>;
  suite = await startSuite({ listAuditEvents }, { watch: callMetrics('server', registry) }, undefined, callMetrics('client', registry));
  const metadata = new Metadata();
  metadata.set('traceparent', '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01');
  await suite.client.listAuditEvents({}, { metadata });
  for (const code of ['REQUEST_NOT_FOUND', 'INTERNAL_ERROR'])
    await expect(suite.client.listAuditEvents({})).rejects.toMatchObject({ code });

  const { body } = await metricsPage(registry, 'application/openmetrics-text');
  for (const side of ['server', 'client'])
    for (const code of ['OK', 'NOT_FOUND', 'INTERNAL'])
      expect(body).toContain(
        `accessops_rpc_${side}_duration_seconds_count{service="AuditService",method="ListAuditEvents",code="${code}"} 1\n`,
      );
  const pointing = body.split('\n').filter((line) => line.includes('# {trace_id="0af7651916cd43dd8448eb211c80319c"}'));
  expect(pointing.map((line) => line.split('{')[0])).toEqual([
    'accessops_rpc_server_duration_seconds_bucket',
    'accessops_rpc_client_duration_seconds_bucket',
  ]);
});
