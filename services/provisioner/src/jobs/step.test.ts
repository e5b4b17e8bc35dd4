import { expect, test } from 'vitest';
import { ConnectorError } from '../connector.ts';
import { createStepLog, type Step } from './step.ts';

const now = () => new Date(0);
const at = '1970-01-01T00:00:00.000Z';
const fails = (error: Error) => () => Promise.reject(error);

test('when steps are run, then it is noted how each ends, and of what goes wrong only what people may read', async () => {
  const log = createStepLog([], 2, now);
  expect(await log.run('VERIFY', async () => 'found')).toBe('found');
  await expect(log.run('APPLY', fails(new Error('password=hunter2')))).rejects.toThrow();
  await expect(log.run('REVOKE', fails(new ConnectorError('pending', 'It will tell')))).rejects.toThrow();
  const times = { attempt: 2, startedAt: at, finishedAt: at };
  expect(log.steps()).toEqual([
    { name: 'VERIFY', status: 'SUCCEEDED', message: null, ...times },
    { name: 'APPLY', status: 'FAILED', message: 'The connector failed unexpectedly', ...times },
    { name: 'REVOKE', status: 'WAITING', message: 'It will tell', ...times },
  ]);
});

test('when a worker was lost in a step, then the next one says so', () => {
  const lost: Step = { name: 'APPLY', attempt: 1, status: 'RUNNING', startedAt: at, finishedAt: null, message: null };
  expect(createStepLog([lost], 2, now).steps()).toEqual([{ ...lost, status: 'FAILED', finishedAt: at, message: 'The worker was lost' }]);
});

test('when attempts go on without end, then the latest steps are kept', async () => {
  const log = createStepLog([], 1, now);
  for (let n = 0; n < 30; n++) await log.run('REVOKE', async () => n);
  expect(log.steps()).toHaveLength(20);
});

test('when a step goes on, then it is unseen until it has been asked for', async () => {
  const log = createStepLog([], 1, now);
  expect(log.hasUnseen(0)).toBe(false);
  await log.run('APPLY', async () => {
    expect([log.hasUnseen(0), log.hasUnseen(1000)]).toEqual([true, false]);
    expect(log.steps()).toMatchObject([{ name: 'APPLY', status: 'RUNNING', finishedAt: null }]);
    expect(log.hasUnseen(0)).toBe(false);
  });
});
