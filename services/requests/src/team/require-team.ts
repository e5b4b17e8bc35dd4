import { setTimeout as delay } from 'node:timers/promises';
import { invalidField } from '@accessops/errors';
import type { Call, Ctx } from '@accessops/service';
import { LockMode } from '@mikro-orm/postgresql';
import { isId } from '../text.ts';
import { Team } from './team.ts';

const pausesMs = [10, 20, 40, 80, 160, 320, 320];

/** Waits at most a second for a team that identity has just told of: what is known here is some milliseconds behind. */
export const awaitTeam = async (call: Call, id: string): Promise<void> => {
  if (!isId(id)) return;
  for (const pauseMs of pausesMs) {
    if ((await call.read(({ em }) => em.count(Team, { id }))) > 0) return;
    await delay(pauseMs, undefined, { signal: call.signal });
  }
};

/** Makes sure that there is such a team, and that it stays until the transaction ends. Errors: INVALID_FIELDS at /owningTeamId. */
export const requireTeam = async ({ em }: Ctx, id: string): Promise<void> => {
  const team = isId(id) && (await em.findOne(Team, { id, removed: false }, { lockMode: LockMode.PESSIMISTIC_READ }));
  if (!team) throw invalidField('/owningTeamId', 'There is no such team');
};
