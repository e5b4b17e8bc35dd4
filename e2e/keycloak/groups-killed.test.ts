import { randomUUID } from 'node:crypto';
import { expect, inject, test } from 'vitest';
import { killRounds } from '../../services/provisioner/test/faults/kills/kill-rounds.ts';
import { kills } from '../../services/provisioner/test/faults/kills/rounds.ts';
import type { RealTarget } from '../../services/provisioner/test/targets/real-target.ts';
import { Tenant } from '../client.ts';
import { makeClient } from './group-client.ts';
import { admin } from './keycloak.ts';

interface Group {
  id: string;
  name: string;
  path: string;
}

const untouched = (): never => {
  throw new Error('not part of these rounds');
};

/** The realm, with a group for each login. */
const startRealm = async (): Promise<RealTarget> => {
  const [CLIENT_ID, CLIENT_SECRET] = [`groups-${randomUUID()}`, randomUUID()];
  await makeClient(CLIENT_ID, CLIENT_SECRET, ['manage-users']);
  const { id: holderId } = await (await Tenant.create('killed')).person('holder', ['requester']);
  const tag = randomUUID();
  const groups = new Map<string, Group>();
  for (let n = 0; n <= kills; n++) {
    const name = `${tag} round-${n}`;
    await admin('POST', '/groups', { name });
    for (const group of await admin<Group[]>('GET', `/groups?search=${encodeURIComponent(name)}&exact=true`))
      groups.set(`round-${n}`, group);
  }
  const groupsOfHolder = () => admin<Group[]>('GET', `/users/${holderId}/groups?max=1000`);
  return {
    connector: 'keycloak-group',
    holderId,
    port: Number(new URL(inject('keycloak').url).port),
    login: (port) => ({ URL: `http://127.0.0.1:${port}`, REALM: 'accessops', CLIENT_ID, CLIENT_SECRET }),
    config: (login) => ({ login, roles: { reader: groups.get(login)?.id } }),
    letsIn: async ({ group }) => (await groupsOfHolder()).some(({ path }) => path === group),
    // The note of the access, and the membership that it is about.
    objectsOf: async (key) => {
      const [home] = await admin<Group[]>('GET', '/groups?search=accessops&exact=true');
      const notes = await admin<Group[]>('GET', `/groups/${home?.id}/children?search=${holderId}&max=1000`);
      const noted = notes.filter(({ name }) => name.endsWith(key));
      const members = (await groupsOfHolder()).filter(({ id }) => noted.some(({ name }) => name.includes(id)));
      return [...noted.map(() => 'note'), ...members.map(() => 'member')];
    },
    takeAway: untouched,
    leave: untouched,
    giveToOther: untouched,
    close: async () => {},
  };
};

test('when workers are killed at each step, then the holder is in the group once, and in none at the end', async () => {
  expect(await killRounds(await startRealm())).toBe(kills);
}, 600_000);
