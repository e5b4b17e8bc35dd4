import { setImmediate as turn } from 'node:timers/promises';
import { newId } from '@accessops/db';
import { expect, test, vi } from 'vitest';
import type { Connector, Plan } from '../connector.ts';
import { createPlanDesk, nothingYet, type Wanted } from './plan-desk.ts';

/** A desk whose connector plans when it is told to. */
const deskWith = ({ planTakesTime = true } = {}) => {
  const open: ((plan: Plan) => void)[] = [];
  const plan = vi.fn<Connector['plan']>(() => new Promise((resolve) => open.push(resolve)));
  const connector = { plan, planTakesTime: () => planTakesTime } as Partial<Connector> as Connector;
  const desk = createPlanDesk(new Map([['modules', connector]]), new AbortController().signal);
  const settle = (step: string) => {
    for (const resolve of open.splice(0)) resolve({ steps: [step] });
  };
  return { desk, plan, settle };
};

const wanted = (): Wanted => ({
  tenantId: newId(),
  tenantSlug: 'acme',
  jobId: newId(),
  requesterId: newId(),
  target: { connector: 'modules', resourceId: newId(), resourceKey: 'room', role: 'reader', duration: 'PT1H', config: {}, parameters: {} },
});

test('when many ask for one plan at once, then it is made once, for all of them and for who asks right after', async () => {
  const { desk, plan, settle } = deskWith();
  const [requestId, what] = [newId(), wanted()];
  const asked = Array.from({ length: 12 }, () => desk.ask(requestId, what));
  await turn();
  settle('Create it');
  const views = await Promise.all([...asked, desk.ask(requestId, what)]);
  for (const view of views) expect(view).toMatchObject({ status: 'READY', steps: ['Create it'] });
  expect(plan).toHaveBeenCalledTimes(1);
});

test('when more plans are asked for than are made at a time, then the others wait, and get theirs once there is a place', async () => {
  const { desk, plan, settle } = deskWith();
  const requests = Array.from({ length: 6 }, () => ({ id: newId(), what: wanted() }));
  const asked = requests.map(({ id, what }) => desk.ask(id, what));
  expect(await Promise.all(asked.slice(4))).toEqual([nothingYet, nothingYet]);
  expect(plan).toHaveBeenCalledTimes(4);
  settle('first');
  await Promise.all(asked);
  const again = requests.slice(4).map(({ id, what }) => desk.ask(id, what));
  await turn();
  settle('second');
  for (const view of await Promise.all(again)) expect(view).toMatchObject({ status: 'READY', steps: ['second'] });
});

test('when a plan takes no time, then nobody waits for another', async () => {
  const { desk, plan, settle } = deskWith({ planTakesTime: false });
  const asked = Array.from({ length: 12 }, () => desk.ask(newId(), wanted()));
  await turn();
  settle('Create it');
  expect((await Promise.all(asked)).every(({ status }) => status === 'READY')).toBe(true);
  expect(plan).toHaveBeenCalledTimes(12);
});
