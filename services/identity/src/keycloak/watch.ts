import type { ServiceParts } from '@accessops/service';
import { decodeJwt } from 'jose';
import type { Admin } from './admin.ts';
import type { Reconciler } from './reconciler.ts';
import type { Sessions } from './sessions.ts';

const pageSize = 200;
const uuidPattern = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;

/** Asks Keycloak what has happened there. */
export interface Watch {
  round(): Promise<void>;
}

interface WatchOptions {
  parts: ServiceParts;
  admin: Admin;
  realm: string;
  reconciler: Reconciler;
  sessions: Sessions;
}

interface Happened {
  id: string;
  time: number;
}

interface AdminEvent extends Happened {
  resourcePath?: string;
  representation?: string;
  authDetails?: { userId?: string };
}

interface UserEvent extends Happened {
  sessionId?: string;
}

const logoutTypes = ['LOGOUT', 'USER_SESSION_DELETED'];

/** All pages of a list of events. */
const readAll = async <E extends Happened>(read: (first: number) => Promise<E[]>): Promise<E[]> => {
  const events: E[] = [];
  for (;;) {
    const page = await read(events.length);
    events.push(...page);
    if (page.length < pageSize) return events;
  }
};

// An event is stored with the time at which it happened, a moment before it can be read: what may have been overtaken is looked for again.
const lookBackMs = 5000;

/**
 * Reads the admin events and logouts since the last round and has looked after whom they name. Not what they say counts but what Keycloak
 * says when it is asked afterwards: repeated, late and foreign events do no harm.
 */
export const createWatch = ({ parts: { pool }, admin, realm, reconciler, sessions }: WatchOptions): Watch => {
  let seen = new Set<string>();
  const fresh = <E extends Happened>(events: E[]): E[] => events.filter(({ id }) => !seen.has(id));
  const page = (from: number, first: number) => ({ realm, dateFrom: String(from), direction: 'asc', first, max: pageSize });
  const adminEvents = (from: number) =>
    readAll((first) => admin.run(({ realms }) => realms.findAdminEvents(page(from, first) as never)) as Promise<AdminEvent[]>);
  const logouts = (from: number) =>
    readAll(
      (first) => admin.run(({ realms }) => realms.findEvents({ ...page(from, first), type: logoutTypes } as never)) as Promise<UserEvent[]>,
    );

  return {
    round: async () => {
      const { rows } = await pool.query<{ heard_until: string }>('select heard_until from keycloak_watch where realm = $1', [realm]);
      const heardUntil = Number(rows[0]?.heard_until ?? 0);
      const from = Math.max(0, heardUntil - lookBackMs);
      const self = await admin.run(async (client) => decodeJwt((await client.getAccessToken()) ?? '').sub);
      const [changes, ended] = await Promise.all([adminEvents(from), logouts(from)]);
      const foreign = fresh(changes).filter(({ authDetails }) => authDetails?.userId !== self);
      const named = foreign.map(({ resourcePath = '', representation = '' }) => `${resourcePath} ${representation}`);
      const ids = [...new Set(named.flatMap((text) => text.match(uuidPattern) ?? []))];
      const sessionsInPaths = foreign.flatMap(({ resourcePath = '' }) => /^sessions\/(.+)$/.exec(resourcePath)?.slice(1) ?? []);
      await sessions.hearEnded([...fresh(ended).flatMap(({ sessionId }) => (sessionId ? [sessionId] : [])), ...sessionsInPaths]);
      if (ids.length > 0) {
        await reconciler.note(ids);
        // At once: the next round of its own would only come later.
        await Promise.all([reconciler.round(), sessions.compare(ids)]);
      }
      // Only now: what failed on the way is read again.
      seen = new Set([...changes, ...ended].map(({ id }) => id));
      const latest = Math.max(heardUntil, ...[...changes, ...ended].map(({ time }) => time));
      if (latest > heardUntil) {
        await pool.query(
          `insert into keycloak_watch (realm, heard_until) values ($1, $2)
             on conflict (realm) do update set heard_until = greatest(keycloak_watch.heard_until, excluded.heard_until)`,
          [realm, latest],
        );
      }
    },
  };
};
