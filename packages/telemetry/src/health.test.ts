import { expect, test } from 'vitest';
import { healthOf, lookAtAll } from './health.ts';

const up = async () => true;
const broken = () => Promise.reject(new Error('away'));
const silent = () => new Promise<boolean>(() => {});

test.each([
  ['all is up', up, up, 'ok'],
  ['something is down that is not needed for everything', up, broken, 'degraded'],
  ['something does not answer', up, silent, 'degraded'],
  ['something is down without which nothing goes', broken, up, 'down'],
])('when %s, then that is said', async (_, database, mail, status) => {
  const found = await lookAtAll([
    { name: 'database', critical: true, isUp: database },
    { name: 'mail', critical: false, isUp: mail },
  ]);
  expect(healthOf(found)).toEqual({ status, services: { database: database === up ? 'ok' : 'down', mail: mail === up ? 'ok' : 'down' } });
});
