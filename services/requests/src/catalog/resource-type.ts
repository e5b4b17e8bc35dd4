import { connectorNames } from '@accessops/connectors';
import { invalidField } from '@accessops/errors';
import { parseName } from '@accessops/names';
import { defineEntity, p } from '@mikro-orm/postgresql';
import { aYear, type Duration, parseDuration, parseDurationUpTo } from '../duration.ts';
import { documentLimits, parseJsonObject } from '../json-object.ts';
import { parseFields } from '../parse-fields.ts';
import { parseSlug } from '../text.ts';
import { checkConnectorConfig } from './connector-config.ts';
import { parseParametersSchema } from './parameters-schema.ts';

const sensitivities = ['low', 'medium', 'high'] as const;
const mostRoles = 100;

export type Sensitivity = (typeof sensitivities)[number];

/** An amount of minor units. */
export interface Money {
  amount: number;
  /** ISO 4217. */
  currency: string;
}

const ResourceTypeSchema = defineEntity({
  name: 'ResourceType',
  tableName: 'resource_type',
  properties: {
    id: p.uuid().primary(),
    tenantId: p.uuid(),
    key: p.text(),
    name: p.text(),
    connector: p.text(),
    /** What can be asked for. */
    roles: p.array(),
    /** JSON text; empty when no parameters are taken. */
    parametersSchema: p.text(),
    sensitivity: p.text().$type<Sensitivity>(),
    pii: p.boolean(),
    maxDuration: p.text(),
    exclusive: p.boolean(),
    /** Null when it is free. */
    pricePerHour: p.json<Money>().nullable(),
    /** JSON text: what the connector needs to know, without secrets. */
    config: p.text(),
    version: p.integer().version(),
    createdAt: p.datetime(),
    updatedAt: p.datetime(),
    deletedAt: p.datetime().nullable(),
  },
});

/** A kind of resource: what can be asked for, how sensitive it is, and who provisions it. */
export class ResourceType extends ResourceTypeSchema.class {
  /** The longest access that can be asked for. */
  longest(): Duration {
    return parseDuration('/maxDuration', this.maxDuration);
  }
}
ResourceTypeSchema.setClass(ResourceType);

/** An amount of minor units, as it arrives. */
export interface MoneyInput {
  amount: bigint;
  currency: string;
}

/** What a type can be changed in; absent: unchanged. */
export interface ResourceTypeChange {
  name?: string;
  roles?: string[];
  /** JSON text; empty: none are taken. */
  parametersSchema?: string;
  sensitivity?: string;
  pii?: boolean;
  maxDuration?: string;
  exclusive?: boolean;
  pricePerHour?: MoneyInput;
  /** JSON text. */
  config?: string;
}

/** What a type is made from. */
export interface NewResourceType extends Required<Omit<ResourceTypeChange, 'pricePerHour'>> {
  key: string;
  connector: string;
  pricePerHour?: MoneyInput;
}

const parseOneOf = <T extends string>(pointer: string, value: string, known: readonly T[]): T => {
  const found = known.find((candidate) => candidate === value);
  if (found === undefined) throw invalidField(pointer, `must be one of: ${known.join(', ')}`);
  return found;
};

const parseRoles = (roles: string[]): string[] => {
  if (roles.length === 0 || roles.length > mostRoles) throw invalidField('/roles', `must be 1 to ${mostRoles} roles`);
  for (const [index, role] of roles.entries()) {
    parseSlug(`/roles/${index}`, role);
    if (roles.indexOf(role) !== index) throw invalidField(`/roles/${index}`, 'is named twice');
  }
  return roles;
};

const currencies = new Set(Intl.supportedValuesOf('currency'));

const parsePrice = ({ amount, currency }: MoneyInput): Money => {
  if (amount < 0n || amount > BigInt(Number.MAX_SAFE_INTEGER)) {
    throw invalidField('/pricePerHour/amount', 'must be 0 or more minor units, and below 2^53');
  }
  if (!currencies.has(currency)) throw invalidField('/pricePerHour/currency', 'must be an ISO 4217 code');
  return { amount: Number(amount), currency };
};

const parseConfig = (config: string): string => JSON.stringify(parseJsonObject('/config', config, documentLimits));

const changeReaders = ({
  name,
  roles,
  parametersSchema,
  sensitivity,
  pii,
  maxDuration,
  exclusive,
  pricePerHour,
  config,
}: ResourceTypeChange) => ({
  ...(name !== undefined && { name: () => parseName('/name', name, 200) }),
  ...(roles !== undefined && { roles: () => parseRoles(roles) }),
  ...(parametersSchema !== undefined && { parametersSchema: () => parseParametersSchema(parametersSchema) }),
  ...(sensitivity !== undefined && { sensitivity: () => parseOneOf('/sensitivity', sensitivity, sensitivities) }),
  ...(pii !== undefined && { pii: () => pii }),
  ...(maxDuration !== undefined && { maxDuration: () => parseDurationUpTo('/maxDuration', maxDuration, aYear).iso }),
  ...(exclusive !== undefined && { exclusive: () => exclusive }),
  ...(pricePerHour !== undefined && { pricePerHour: () => parsePrice(pricePerHour) }),
  ...(config !== undefined && { config: () => parseConfig(config) }),
});

/**
 * Checks what a type is to be changed in; its connector must get along with the configuration and the roles that result.
 * Errors: INVALID_FIELDS naming each wrong field.
 */
export const parseResourceTypeChange = (type: Pick<ResourceType, 'connector' | 'config' | 'roles'>, change: ResourceTypeChange) => {
  const fields = parseFields(changeReaders(change));
  const { config, roles } = { ...type, ...fields };
  if (fields.config !== undefined || fields.roles !== undefined) checkConnectorConfig(type.connector, config, roles);
  return fields;
};

/** Checks what a type is to be made from. Errors: INVALID_FIELDS naming each wrong field. */
export const parseNewResourceType = (input: NewResourceType) =>
  parseFields({
    ...(changeReaders(input) as Required<ReturnType<typeof changeReaders>>),
    key: () => parseSlug('/key', input.key),
    connector: () => parseOneOf('/connector', input.connector, connectorNames),
    config: () => {
      const config = parseConfig(input.config);
      checkConnectorConfig(input.connector, config, input.roles);
      return config;
    },
  });
