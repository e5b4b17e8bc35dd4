import { accepts } from '@accessops/dev';
import { expect, test } from 'vitest';
import { createDatabase, namespace, serviceEnvironment, startServiceProcess } from '../src/index.ts';

test('when a service is started as a process, then it answers until it is closed', async () => {
  const database = await createDatabase(['audit']);
  const service = await startServiceProcess('audit', serviceEnvironment('audit', { database, namespace: namespace() }));
  const port = Number(service.address.split(':')[1]);
  expect(await accepts(port)).toBe(true);
  await service.close();
  expect(await accepts(port)).toBe(false);
  await database.drop();
});
