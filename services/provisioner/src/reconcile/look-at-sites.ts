import { setTimeout as delay } from 'node:timers/promises';
import { transaction } from '@accessops/db';
import type { Logger } from '@accessops/telemetry';
import type { EntityManager } from '@mikro-orm/postgresql';
import { ConnectorError, type Connectors, connectorNamed, type Found, type Site } from '../connector.ts';
import { withDeadline } from '../deadline.ts';
import { publicText } from '../jobs/run-attempt.ts';
import { type Comparison, compare, inBoth, type Whose } from './compare.ts';
import { findSites, type SiteOfResource } from './find-sites.ts';
import { knownAccess } from './known-access.ts';

export interface LookSettings {
  /** How long a target may take to tell what it has. */
  deadlineMs: number;
  /** Between the two looks at what seems to differ. */
  pauseMs: number;
}

/** What looking at the targets of a resource has shown. */
export interface Look extends Comparison {
  /** Targets that could not be asked, in words for people. */
  errors: string[];
  /** Whether any target could tell. */
  supported: boolean;
}

export interface LookTools {
  em: EntityManager;
  connectors: Connectors;
  log: Logger;
  settings: LookSettings;
  /** The process is told to go. */
  signal: AbortSignal;
}

/** What is at a target; null when nobody can tell. Throws a ConnectorError whatever goes wrong there. */
const list = async ({ connectors, settings, signal: going }: LookTools, connector: string, site: Site): Promise<Found[] | null> => {
  try {
    const hands = connectorNamed(connectors, connector);
    return await withDeadline(settings.deadlineMs, going, async (signal) => (await hands.list?.(site, signal)) ?? null);
  } catch (error) {
    throw new ConnectorError('failed', publicText(error), error);
  }
};

const compareOnce = async (tools: LookTools, whose: Whose, { connector, site }: SiteOfResource): Promise<Comparison | null> => {
  const found = await list(tools, connector, site);
  if (!found) return null;
  // What is known is asked for after the look: what was made meanwhile is known of, too.
  return transaction(tools.em, 'all-tenants', async (em) => {
    const sites = await findSites(em, whose);
    const config = JSON.stringify(site.config);
    const expected = sites.find((one) => one.connector === connector && JSON.stringify(one.site.config) === config)?.site.expected ?? [];
    const keys = found.flatMap(({ key }) => key ?? []);
    return compare(found, expected, await knownAccess(em, keys), whose);
  });
};

/** Looks twice where something seems to be missing or left over: jobs come and go at every moment. */
const compareTwice = async (tools: LookTools, whose: Whose, at: SiteOfResource): Promise<Comparison | null> => {
  const first = await compareOnce(tools, whose, at);
  if (!first || (first.missing.length === 0 && first.surplus.length === 0)) return first;
  await delay(tools.settings.pauseMs, undefined, { signal: tools.signal });
  const second = await compareOnce(tools, whose, at);
  return second && inBoth(first, second);
};

/** Asks the targets of a resource what they have, and compares. Throws only for our own database. */
export const lookAtSites = async (tools: LookTools, whose: Whose): Promise<Look> => {
  const look: Look = { missing: [], surplus: [], foreign: [], errors: [], supported: false };
  const sites = await transaction(tools.em, 'all-tenants', (em) => findSites(em, whose));
  for (const at of sites) {
    try {
      const comparison = await compareTwice(tools, whose, at);
      if (!comparison) continue;
      look.supported = true;
      look.missing.push(...comparison.missing);
      look.surplus.push(...comparison.surplus);
      look.foreign.push(...comparison.foreign);
    } catch (error) {
      if (!(error instanceof ConnectorError)) throw error;
      tools.log.warn(
        { err: error, tenant: whose.tenantId, resource_id: whose.resourceId, connector: at.connector },
        'a target could not be asked what it has',
      );
      look.errors.push(error.message);
    }
  }
  return look;
};
