import { AppError } from '@accessops/errors';
import { type Filter, type ListQuery, Operator } from '@accessops/proto/accessops/common/v1/common_pb';
import type { EntityManager, EntityName, FilterQuery } from '@mikro-orm/postgresql';

/** What a list can be filtered and sorted by. `text-list` holds many values: eq and in ask whether it holds them. */
export interface ListField {
  type: 'uuid' | 'text' | 'time' | 'integer' | 'boolean' | 'text-list';
  /** Property of the entity, dotted for relations; the field's own name by default. */
  path?: string;
}

export interface ListDefinition<E extends object> {
  entity: EntityName<E>;
  fields: Record<string, ListField>;
  /** Name of the unique field that breaks ties; `id` by default. */
  key?: string;
  /** Used when the caller does not sort: `-createdAt`. */
  defaultSort: string;
  /** Relations to load. */
  populate?: string[];
  /** The largest page; 200 by default, which is what callers from outside get. */
  maxLimit?: number;
}

export interface Page<E> {
  items: E[];
  /** Where the next page starts; empty on the last one. */
  next: string;
}

type Condition = Record<string, unknown>;
/** The part of MikroORM's metadata that tells whether a value may be missing. */
type Properties = Record<string, { nullable?: boolean; targetMeta?: { properties: Properties } }>;
interface Sort {
  field: string;
  descending: boolean;
}

const refuse = (message: string): never => {
  throw new AppError('INVALID_FILTER', message);
};

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

const parse = (name: string, { type }: ListField, value: string): unknown => {
  if (value.includes('\0')) return refuse(`${name} must not hold a NUL character`);
  switch (type) {
    case 'uuid':
      return uuid.test(value) ? value : refuse(`${name} must be a UUID`);
    case 'time': {
      const time = /^\d{4}-\d\d-\d\d/.test(value) ? new Date(value) : new Date(Number.NaN);
      const year = time.getUTCFullYear();
      return !(year >= 1 && year <= 9999) ? refuse(`${name} must be an RFC 3339 time`) : time;
    }
    case 'integer':
      return /^-?\d{1,15}$/.test(value) ? Number(value) : refuse(`${name} must be a whole number`);
    case 'boolean':
      return value === 'true' || value === 'false' ? value === 'true' : refuse(`${name} must be true or false`);
    default:
      return value;
  }
};

/** `{a: {b: value}}` out of `a.b`. */
const nest = (path: string, value: unknown): Condition =>
  path.split('.').reduceRight<unknown>((inner, part) => ({ [part]: inner }), value) as Condition;

const valueAt = (entity: object, path: string): unknown =>
  path.split('.').reduce<unknown>((at, part) => (at as Record<string, unknown> | null | undefined)?.[part], entity);

const comparisons: Partial<Record<Operator, string>> = {
  [Operator.EQ]: '$eq',
  [Operator.NE]: '$ne',
  [Operator.GT]: '$gt',
  [Operator.GTE]: '$gte',
  [Operator.LT]: '$lt',
  [Operator.LTE]: '$lte',
};

const conditionOf = (name: string, field: ListField, { operator, values }: Filter, nullable: boolean): Condition => {
  const path = field.path ?? name;
  const parsed = values.map((value) => parse(name, field, value));
  const [first] = parsed;
  if (first === undefined) return refuse(`${name} needs a value`);
  if (field.type === 'text-list') {
    if (operator === Operator.EQ) return nest(path, { $contains: [first] });
    if (operator === Operator.IN) return nest(path, { $overlap: parsed });
    return refuse(`${name} takes eq and in only`);
  }
  if (operator === Operator.IN) return nest(path, { $in: parsed });
  if (operator === Operator.LIKE) {
    // Only % is a wildcard here; _ and \ stand for themselves.
    return field.type === 'text'
      ? nest(path, { $ilike: String(first).replace(/[\\_]/g, '\\$&') })
      : refuse(`${name} cannot be compared with like`);
  }
  // What has no value is not that value, whatever SQL says.
  if (operator === Operator.NE && nullable) return { $or: [nest(path, { $ne: first }), nest(path, null)] };
  const comparison = comparisons[operator];
  return comparison ? nest(path, { [comparison]: first }) : refuse(`${name} has an unknown operator`);
};

const sortsOf = <E extends object>({ fields, defaultSort, key = 'id' }: ListDefinition<E>, query: ListQuery | undefined): Sort[] => {
  const asked: Sort[] = query?.sort.length
    ? query.sort.map(({ field, descending }) => ({ field, descending }))
    : [{ field: defaultSort.replace(/^-/, ''), descending: defaultSort.startsWith('-') }];
  for (const { field } of asked) {
    const known = Object.hasOwn(fields, field) ? fields[field] : undefined;
    if (!known || known.type === 'text-list') refuse(`Cannot sort by ${field}`);
  }
  const descending = asked.at(-1)?.descending ?? false;
  return asked.some(({ field }) => field === key) ? asked : [...asked, { field: key, descending }];
};

const mayBeNull = (properties: Properties | undefined, path: string): boolean => {
  const [name = '', ...rest] = path.split('.');
  const property = properties?.[name];
  return property?.nullable === true || (rest.length > 0 && mayBeNull(property?.targetMeta?.properties, rest.join('.')));
};

interface SortPath {
  path: string;
  descending: boolean;
  nullable: boolean;
}

/** What has to be loaded so that the last row of a page can say where it stands. */
const relationsOf = (sorts: SortPath[]): string[] =>
  sorts.filter(({ path }) => path.includes('.')).map(({ path }) => path.slice(0, path.lastIndexOf('.')));

/** Rows behind a value of one sort key; null sorts behind everything, or before it when descending, as PostgreSQL does it. */
const behind = ({ path, descending, nullable }: SortPath, value: unknown): Condition[] => {
  if (value === null) return descending ? [nest(path, { $ne: null })] : [];
  if (descending) return [nest(path, { $lt: value })];
  return [nest(path, { $gt: value }), ...(nullable ? [nest(path, null)] : [])];
};

/** Rows after the given sort values: a > x, or a = x and b > y, … */
const after = (sorts: SortPath[], values: unknown[]): Condition => {
  const rows = sorts.flatMap((sort, index) =>
    behind(sort, values[index]).map((condition) => ({
      $and: [...sorts.slice(0, index).map(({ path }, earlier) => nest(path, values[earlier])), condition],
    })),
  );
  const [first] = sorts;
  // Follows from the rest, but only this lets an index begin at the right place instead of at the first page.
  const bounded = first && values[0] !== null && (first.descending || !first.nullable);
  return { $and: [...(bounded ? [nest(first.path, { [first.descending ? '$lte' : '$gte']: values[0] })] : []), { $or: rows }] };
};

const signature = (sorts: Sort[]): string => sorts.map(({ field, descending }) => `${descending ? '-' : ''}${field}`).join(',');

const positionOf = (fields: Record<string, ListField>, sorts: Sort[], cursor: string): unknown[] => {
  const invalid = () => new AppError('INVALID_CURSOR');
  let position: { by?: unknown; at?: unknown } | null;
  try {
    position = JSON.parse(cursor) as typeof position;
  } catch {
    throw invalid();
  }
  if (position?.by !== signature(sorts) || !Array.isArray(position.at) || position.at.length !== sorts.length) throw invalid();
  return position.at.map((value: unknown, index) => {
    const name = sorts[index]?.field ?? '';
    const field = fields[name];
    if (!field) throw invalid();
    return value === null ? null : parse(name, field, String(value));
  });
};

const plain = (value: unknown): unknown => (value instanceof Date ? value.toISOString() : (value ?? null));

/**
 * One page by key-set: stable while rows come in, whatever the page. `where` confines the list further.
 * Errors: INVALID_FILTER, INVALID_CURSOR.
 */
export const listPage = async <E extends object>(
  em: EntityManager,
  definition: ListDefinition<E>,
  query: ListQuery | undefined,
  where: FilterQuery<E> = {},
): Promise<Page<E>> => {
  const { entity, fields, populate = [], maxLimit = 200 } = definition;
  const limit = Math.min(Math.max(query?.limit || 50, 1), maxLimit);
  const sorts = sortsOf(definition, query);
  const { properties } = em.getMetadata(entity);
  const sortPaths = sorts.map(({ field, descending }): SortPath => {
    const path = fields[field]?.path ?? field;
    return { path, descending, nullable: mayBeNull(properties, path) };
  });
  const conditions: Condition[] = (query?.filters ?? []).map((filter) => {
    const field = Object.hasOwn(fields, filter.field) ? fields[filter.field] : undefined;
    return field
      ? conditionOf(filter.field, field, filter, mayBeNull(properties, field.path ?? filter.field))
      : refuse(`Unknown field ${filter.field}`);
  });
  if (query?.after) conditions.push(after(sortPaths, positionOf(fields, sorts, query.after)));
  const orderBy = sortPaths.map(({ path, descending }) => nest(path, descending ? 'desc' : 'asc'));
  const found = await em.find(entity, { $and: [where, ...conditions] } as never, {
    orderBy: orderBy as never,
    limit: limit + 1,
    populate: [...populate, ...relationsOf(sortPaths)] as never,
  });
  const items = found.slice(0, limit) as E[];
  const last = found.length > limit ? items.at(-1) : undefined;
  return { items, next: last ? JSON.stringify({ by: signature(sorts), at: sortPaths.map(({ path }) => plain(valueAt(last, path))) }) : '' };
};
