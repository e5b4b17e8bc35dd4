import { newId } from '@accessops/db';
import { limitsOf } from '@accessops/license';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { auditorOf, changeOf, type Suite, startSuite } from './suite.ts';

let suite: Suite;
const tenantId = newId();
const dayMs = 24 * 3_600_000;
const ago = (days: number) => changeOf(tenantId, {}, { occurredAt: new Date(Date.now() - days * dayMs) });

beforeAll(async () => {
  suite = await startSuite();
  const [free, team] = [limitsOf('free').auditRetentionDays ?? 0, limitsOf('team').auditRetentionDays ?? 0];
  await suite.publish('requests', ago(team + 1), ago(free + 1), ago(free - 1), ago(0));
  await suite.log(tenantId, 4);
});
afterAll(() => suite.close());

test.each([
  ['free', [3, 4]],
  ['', [3, 4]],
  ['team', [2, 3, 4]],
  ['enterprise', [1, 2, 3, 4]],
])(
  'when the license is "%s", then lists and exports go as far back as it allows, and the chain still verifies',
  async (licenseTier, seen) => {
    const options = async () => suite.as({ ...auditorOf(tenantId), licenseTier });
    const { items } = await suite.client.listAuditEvents({}, await options());
    expect(items.map(({ sequence }) => Number(sequence)).sort()).toEqual(seen);
    const exported: number[] = [];
    for await (const batch of suite.client.exportAuditEvents({}, await options()))
      exported.push(...batch.items.map(({ sequence }) => Number(sequence)));
    expect(exported).toEqual(seen);
    expect(await suite.client.verifyAuditChain({}, await options())).toMatchObject({ ok: true, events: 4n });
  },
);
