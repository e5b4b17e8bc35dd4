import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { newId } from '@accessops/db';
import { createModulePlace, handsOf, type ModulePlace, roomAccess } from '../module-place.ts';
import type { RealTarget } from './real-target.ts';

const never = new AbortController().signal;

/** A room that a real program makes things in, by a module; undefined without such a program. */
export const startOpentofu = async (): Promise<(RealTarget & { place: ModulePlace }) | undefined> => {
  const place = await createModulePlace();
  if (!place) return undefined;
  const hands = handsOf(place);
  const make = (key: string) => hands.apply(roomAccess({ key }), never);
  return {
    place,
    connector: 'opentofu',
    port: place.statePort,
    login: (port) => place.settings(port),
    config: (login) => ({ login, module: 'account' }),
    letsIn: async ({ username, password }) => place.account(String(username)) === `${password}\n`,
    objectsOf: async (key) => [...place.things(key), ...(await place.states()).filter((name) => name === key)],
    // As a destroy by hand leaves it.
    takeAway: async (key) => {
      for (const thing of place.things(key)) rmSync(join(place.room, thing));
      await place.sql.query(
        `update accessops_state.states set data = data::jsonb || '{"serial": 99, "resources": [], "outputs": {}}' where name = $1`,
        [key],
      );
    },
    // As from a backup of the state of then.
    leave: async (key) => {
      await place.sql.query('delete from accessops_state.access where key = $1', [key]);
      await make(key);
    },
    giveToOther: async () => {
      const key = newId();
      await make(key);
      return key;
    },
    close: async () => {
      await hands.close?.();
      await place.close();
    },
  };
};
