import { type Access, ConnectorError, type Found, nonsense } from '../../connector.ts';
import { listed, type Realm, statusOf } from './realm.ts';

const home = 'accessops';
const many = 10_000;
const pageSize = 500;

/** A note in the realm that somebody is in a group because of an access; a child of the group `accessops`. */
interface Note {
  id: string;
  name: string;
  fence: number;
  /** Whether they had been in the group before, because of somebody else. */
  foreign: boolean;
}

/** What a note is about: found by its beginning, so that all accesses of a person to a group are. */
const aboutOf = ({ holderId }: Pick<Access, 'holderId'>, group: string): string => `${holderId}.${group}.`;

/** The group whose children are notes; it means nothing, and nobody is in it. */
const homeOf = async ({ client, touch }: Realm): Promise<string> => {
  const found = await listed(client.groups.find({ search: home, exact: true }));
  const id = found.find(({ path }) => path === `/${home}`)?.id;
  if (id) return id;
  touch();
  return (await client.groups.create({ name: home })).id;
};

const notesAbout = async ({ client }: Realm, parentId: string, about: string): Promise<Note[]> => {
  const found = await listed(client.groups.listSubGroups({ parentId, search: about, max: many, briefRepresentation: false }));
  return found.flatMap(({ id = '', name = '', attributes = {} }) => {
    const [attempt, foreign] = [attributes.attempt, attributes.foreign] as (string[] | undefined)[];
    return name.startsWith(about) ? [{ id, name, fence: Number(attempt?.[0] ?? 0), foreign: foreign?.[0] === 'true' }] : [];
  });
};

const isMember = async ({ client }: Realm, id: string, group: string): Promise<boolean> =>
  (await listed(client.users.listGroups({ id, max: many }))).some((one) => one.id === group);

const leave = async (realm: Realm, id: string, groupId: string): Promise<void> => {
  const { client, touch } = realm;
  touch();
  try {
    await client.users.delFromGroup({ id, groupId });
    if (await isMember(realm, id, groupId)) throw new ConnectorError('unknown', 'The realm still has the holder in the group');
  } catch (error) {
    // Somebody or something that is gone is in nothing.
    if (statusOf(error) !== 404) throw error;
  }
};

/** Puts the holder into the group, if it is one that may be given, after a note has been made of it; answers the group's path. */
export const join = async (realm: Realm, access: Access, group: string, mayGive: (path: string) => boolean): Promise<string> => {
  const { client, touch } = realm;
  const found = await client.groups.findOne({ id: group }, { catchNotFound: false }).catch((error: unknown) => {
    if (statusOf(error) === 404) throw new ConnectorError('refused', 'The realm does not know the group');
    throw error;
  });
  if (found?.id !== group) throw nonsense('The realm');
  if (!mayGive(found.path ?? '')) throw new ConnectorError('refused', 'The login may not give this group');
  const parent = await homeOf(realm);
  const about = aboutOf(access, group);
  const notes = await notesAbout(realm, parent, about);
  const name = `${about}${access.key}`;
  const mine = notes.find((note) => note.name === name);
  if (mine && mine.fence > access.fence) throw new ConnectorError('failed', 'The realm has heard from a later worker');
  const foreign = notes[0] ? notes[0].foreign : await isMember(realm, access.holderId, group);
  const payload = { name, attributes: { attempt: [String(access.fence)], foreign: [String(foreign)] } };
  touch();
  if (mine) await client.groups.update({ id: mine.id }, payload);
  else await client.groups.createChildGroup({ id: parent }, payload);
  await client.users.addToGroup({ id: access.holderId, groupId: group });
  const noted = (await notesAbout(realm, parent, about)).some((note) => note.name === name && note.fence === access.fence);
  if (!noted || !(await isMember(realm, access.holderId, group))) {
    throw new ConnectorError('unknown', 'The realm does not have what was asked for');
  }
  return found.path ?? '';
};

/** Takes the holder out of the group, unless another access or somebody else has put them there too. */
export const part = async (realm: Realm, access: Access, group: string): Promise<void> => {
  const { client, touch } = realm;
  const parent = await homeOf(realm);
  const about = aboutOf(access, group);
  const notes = await notesAbout(realm, parent, about);
  const mine = notes.find(({ name }) => name === `${about}${access.key}`);
  if (!mine || mine.fence > access.fence) return;
  if (notes.length === 1 && !mine.foreign) await leave(realm, access.holderId, group);
  touch();
  await client.groups.del({ id: mine.id });
  // Another access may have begun or ended at the same moment, and have counted on this one.
  const left = await notesAbout(realm, parent, about);
  if (left.length > 0) await client.users.addToGroup({ id: access.holderId, groupId: group });
  else if (!mine.foreign) await leave(realm, access.holderId, group);
};

/** Whether the realm has a note of the access. */
export const isNoted = async (realm: Realm, access: Access, group: string): Promise<boolean> => {
  const about = aboutOf(access, group);
  return (await notesAbout(realm, await homeOf(realm), about)).some(({ name }) => name === `${about}${access.key}`);
};

const noted = /^([^.]+)\.([^.]+)\.([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/;

const pages = async <T>(ask: (page: { first: number; max: number }) => Promise<T[]>): Promise<T[]> => {
  const found: T[] = [];
  for (;;) {
    const page = await ask({ first: found.length, max: pageSize });
    found.push(...page);
    if (page.length < pageSize) return found;
  }
};

/** Notes about accesses to these groups, in force while their holder is in the group; and who is in one of them without a note. */
export const listMembers = async (realm: Realm, groups: readonly string[]): Promise<Found[]> => {
  const { client } = realm;
  const parentId = await homeOf(realm);
  const notes = await pages((page) => client.groups.listSubGroups({ parentId, briefRepresentation: false, ...page }));
  const found: Found[] = [];
  for (const group of groups) {
    const members = await pages((page) => client.groups.listMembers({ id: group, briefRepresentation: true, ...page }));
    const names = new Map(members.map(({ id, username }) => [id, username ?? '']));
    const made = notes.flatMap(({ name = '', attributes = {} }) => {
      const [, holder, of, key] = noted.exec(name) ?? [];
      const foreign = (attributes.foreign as string[] | undefined)?.[0] === 'true';
      return holder && key && of === group ? [{ holder, key, foreign }] : [];
    });
    const because = new Set(made.filter(({ foreign }) => !foreign).map(({ holder }) => holder));
    for (const { holder, key } of made) found.push({ key, name: names.get(holder) ?? holder, kind: 'member', inForce: names.has(holder) });
    for (const [id, name] of names) if (id && !because.has(id)) found.push({ key: null, name, kind: 'member', inForce: true });
  }
  return found;
};
