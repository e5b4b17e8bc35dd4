import { until } from '@accessops/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { gated } from './gate.ts';
import { type Suite, startSuite } from './suite.ts';

let suite: Suite;
beforeAll(async () => {
  suite = await startSuite();
});
afterAll(() => suite.close());

const jobOf = async (requestId: string, kind = 'PROVISION') => {
  const { id } = await until(() => suite.job(requestId, kind));
  return (await suite.as(suite.requester)).getJob({ id });
};

const brief = ({ steps }: Awaited<ReturnType<typeof jobOf>>) => steps.map(({ name, attempt, status }) => `${attempt} ${name} ${status}`);

test('when a job is quick, then its steps are there once it is done, with their times', async () => {
  const requestId = await suite.approve({ duration: 'PT1S' });
  await suite.grantIs(requestId, ['EXPIRED']);
  const job = await jobOf(requestId);
  expect(brief(job)).toEqual(['1 APPLY SUCCEEDED']);
  expect(job.steps[0]).toMatchObject({ message: '', startedAt: expect.anything(), finishedAt: expect.anything() });
  expect(brief(await jobOf(requestId, 'REVOKE'))).toEqual(['1 REVOKE SUCCEEDED', '1 READ_BACK SUCCEEDED']);
});

test('when a step takes long, then it is seen while it runs', async () => {
  suite.gate.close();
  const requestId = await suite.approve(gated);
  const running = await until(async () => {
    const job = await jobOf(requestId);
    return job.steps.length > 0 && job;
  });
  expect(brief(running)).toEqual(['1 APPLY RUNNING']);
  expect(running.steps[0]?.finishedAt).toBeUndefined();
  suite.gate.open();
  await suite.grantIs(requestId, ['ACTIVE']);
  expect(brief(await jobOf(requestId))).toEqual(['1 APPLY SUCCEEDED']);
});

test('when attempts fail, then each step tells why, and the last ones clear up', async () => {
  const requestId = await suite.approve({ config: { failAfterApplyFirst: 5 } });
  await suite.jobIs(requestId, 'FAILED', 50_000);
  const job = await jobOf(requestId);
  expect(brief(job).slice(0, 3)).toEqual(['1 APPLY FAILED', '2 VERIFY SUCCEEDED', '2 APPLY FAILED']);
  expect(brief(job).slice(-3)).toEqual(['5 APPLY FAILED', '5 REVOKE SUCCEEDED', '5 READ_BACK SUCCEEDED']);
  expect(job.steps[0]?.message).toBe('The answer to attempt 1 was lost');
});
