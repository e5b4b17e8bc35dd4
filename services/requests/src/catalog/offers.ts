import type { CallFunction } from '@accessops/db';
import { AppError } from '@accessops/errors';
import { type Duration, parseDuration } from '../duration.ts';
import { isId } from '../text.ts';
import type { Money, Sensitivity } from './resource-type.ts';

/** A resource with its type, as far as filing a request depends on them. */
export interface Offer {
  resourceVersion: number;
  typeVersion: number;
  resourceKey: string;
  /** `noTeam` when there is none. */
  owningTeamId: string;
  connector: string;
  config: string;
  roles: string[];
  parametersSchema: string;
  sensitivity: Sensitivity;
  pii: boolean;
  longest: Duration;
  /** Null when it is free. */
  pricePerHour: Money | null;
}

/** What can be asked for, remembered: whoever files by an offer has its versions checked in the transaction that files. */
export interface Offers {
  /** Errors: RESOURCE_NOT_FOUND. */
  find(database: CallFunction, tenantId: string, resourceId: string): Promise<Offer>;
  /** Called when an offer turned out to be out of date. */
  forget(tenantId: string, resourceId: string): void;
}

interface Row {
  resource_version: number;
  type_version: number;
  key: string;
  owning_team_id: string;
  connector: string;
  config: string;
  roles: string[];
  parameters_schema: string;
  sensitivity: Sensitivity;
  pii: boolean;
  max_duration: string;
  price_per_hour: Money | null;
}

const mostRemembered = 5000;

const offerOf = (row: Row): Offer => ({
  resourceVersion: row.resource_version,
  typeVersion: row.type_version,
  resourceKey: row.key,
  owningTeamId: row.owning_team_id,
  connector: row.connector,
  config: row.config,
  roles: row.roles,
  parametersSchema: row.parameters_schema,
  sensitivity: row.sensitivity,
  pii: row.pii,
  longest: parseDuration('/maxDuration', row.max_duration),
  pricePerHour: row.price_per_hour,
});

/** Remembers offers. */
export const createOffers = (): Offers => {
  const remembered = new Map<string, Offer>();
  const keyOf = (tenantId: string, resourceId: string) => `${tenantId} ${resourceId}`;

  return {
    find: async (database, tenantId, resourceId) => {
      const key = keyOf(tenantId, resourceId);
      const known = remembered.get(key);
      if (known) return known;
      const [row] = isId(resourceId) ? await database<Row>('read_priced_offer', [tenantId, resourceId]) : [];
      if (!row) throw new AppError('RESOURCE_NOT_FOUND');
      const offer = offerOf(row);
      const [oldest] = remembered.keys();
      if (remembered.size >= mostRemembered && oldest !== undefined) remembered.delete(oldest);
      remembered.set(key, offer);
      return offer;
    },
    forget: (tenantId, resourceId) => {
      remembered.delete(keyOf(tenantId, resourceId));
    },
  };
};
