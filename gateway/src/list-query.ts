import { AppError } from '@accessops/errors';
import { Operator } from '@accessops/proto/accessops/common/v1/common_pb';
import { isUuid } from './fields.ts';
import { isMoment } from './moment.ts';

/** What a list can be filtered and sorted by. `choice` is one of few names; `text-list` holds many values: eq and in ask whether it holds them. */
export type FieldType = 'uuid' | 'text' | 'time' | 'integer' | 'boolean' | 'choice' | 'text-list';

export interface ListDeclaration {
  /** Field names of the public API, in the order of the documents. */
  fields: Record<string, FieldType>;
  /** Fields to sort by; all but text-lists when not given. */
  sortable?: readonly string[];
  /** The order without `sort`: `-createdAt`. */
  defaultSort: string;
  /** False for what comes as a whole: takes filters only. */
  paged?: boolean;
}

export interface ListFilter {
  field: string;
  operator: Operator;
  values: string[];
}

export interface ListRequest {
  /** 1 to 200. */
  limit: number;
  /** The `cursor` parameter as it came. */
  cursor: string;
  sort: { field: string; descending: boolean }[];
  filters: ListFilter[];
  /** Parameters that are none of a list's. */
  others: [name: string, value: string][];
}

const operators: Record<string, Operator> = {
  eq: Operator.EQ,
  ne: Operator.NE,
  gt: Operator.GT,
  gte: Operator.GTE,
  lt: Operator.LT,
  lte: Operator.LTE,
  in: Operator.IN,
  like: Operator.LIKE,
};

const operatorNames = new Map(Object.entries(operators).map(([name, operator]) => [operator, name]));

/** A filter in words: `status eq ACTIVE`. */
export const filterText = ({ field, operator, values }: ListFilter): string =>
  `${field} ${operatorNames.get(operator)} ${values.join(',')}`;

const order = ['eq', 'ne', 'gt', 'gte', 'lt', 'lte', 'in'];

/** Which operators a field of each type knows. */
export const operatorsOf: Record<FieldType, readonly string[]> = {
  uuid: order,
  text: [...order, 'like'],
  time: order,
  integer: order,
  boolean: ['eq', 'ne'],
  choice: ['eq', 'ne', 'in'],
  'text-list': ['eq', 'in'],
};

const defaultLimit = 50;
const maxLimit = 200;
const maxValues = 100;
const maxFilters = 20;
const maxSortKeys = 8;
const maxValueLength = 1000;

const refuse = (message: string): never => {
  throw new AppError('INVALID_FILTER', message);
};
const refuseParameter = (message: string): never => {
  throw new AppError('INVALID_PARAMETER', message);
};

// RFC 3339, or a date alone.
const time = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:\d\d))?$/i;

// Date takes the 30th of February for the 2nd of March.
const isRealDay = (day: string): boolean => new Date(day).toISOString().startsWith(day);

const isRealTime = (value: string): boolean => time.test(value) && isMoment(new Date(value)) && isRealDay(value.slice(0, 10));

const checks: Record<FieldType, [fits: (value: string) => boolean, wanted: string]> = {
  uuid: [isUuid, 'a UUID'],
  time: [isRealTime, 'an RFC 3339 time'],
  integer: [(value) => /^-?\d{1,15}$/.test(value), 'a whole number'],
  boolean: [(value) => value === 'true' || value === 'false', 'true or false'],
  text: [() => true, 'a text'],
  choice: [() => true, 'a text'],
  'text-list': [() => true, 'a text'],
};

const valueOf = (field: string, type: FieldType, value: string): string => {
  if (value.length > maxValueLength || value.includes('\0') || !value.isWellFormed())
    return refuse(`A value for ${field} is too long or not text`);
  const [fits, wanted] = checks[type];
  if (!fits(value)) return refuse(`${field} must be compared with ${wanted}`);
  return type === 'time' ? new Date(value).toISOString() : value;
};

const filterOf = ({ fields }: ListDeclaration, name: string, value: string): ListFilter => {
  const [, field = '', operatorName = ''] =
    /^filter\[([^[\]]*)\]\[([^[\]]*)\]$/.exec(name) ?? refuse('A filter must look like filter[field][op]=value');
  const type = Object.hasOwn(fields, field) ? fields[field] : undefined;
  if (!type) return refuse(`There is no field ${field.slice(0, 100)} to filter by; there are ${Object.keys(fields).join(', ')}`);
  const operator = operatorsOf[type].includes(operatorName) ? operators[operatorName] : undefined;
  if (!operator) return refuse(`${field} takes the operators ${operatorsOf[type].join(', ')}`);
  const values = operator === Operator.IN ? value.split(',') : [value];
  if (values.length > maxValues) return refuse(`${field} can be compared with at most ${maxValues} values`);
  return { field, operator, values: values.map((one) => valueOf(field, type, one)) };
};

/** The fields that a list can be sorted by. */
export const sortableOf = ({ fields, sortable }: ListDeclaration): readonly string[] =>
  sortable ?? Object.keys(fields).filter((field) => fields[field] !== 'text-list');

const sortOf = (declaration: ListDeclaration, value: string): ListRequest['sort'] => {
  const sortable = sortableOf(declaration);
  const keys = value.split(',').map((key) => ({ field: key.replace(/^-/, ''), descending: key.startsWith('-') }));
  for (const { field } of keys)
    if (!sortable.includes(field)) refuse(`There is no field ${field.slice(0, 100)} to sort by; there are ${sortable.join(', ')}`);
  if (keys.length > maxSortKeys || new Set(keys.map(({ field }) => field)).size < keys.length)
    return refuse('sort names a field twice, or too many');
  return keys;
};

const limitOf = (value: string): number => {
  const limit = /^[1-9]\d{0,8}$/.test(value) ? Number(value) : refuseParameter('limit must be a whole number from 1');
  return Math.min(limit, maxLimit);
};

/** Reads the query string of a list. Errors: INVALID_FILTER, INVALID_PARAMETER. */
export const parseListQuery = (search: string, declaration: ListDeclaration): ListRequest => {
  const request: ListRequest = {
    limit: defaultLimit,
    cursor: '',
    sort: sortOf(declaration, declaration.defaultSort),
    filters: [],
    others: [],
  };
  if (!search) return request;
  const paged = declaration.paged ?? true;
  const seen = new Set<string>();
  for (const [name, value] of new URLSearchParams(search)) {
    const single = !name.startsWith('filter');
    if (single && seen.has(name)) refuseParameter(`${name.slice(0, 100)} must be given once`);
    seen.add(name);
    if (!single) request.filters.push(filterOf(declaration, name, value));
    else if (paged && name === 'limit') request.limit = limitOf(value);
    else if (paged && name === 'cursor') request.cursor = value;
    else if (paged && name === 'sort') request.sort = sortOf(declaration, value);
    else request.others.push([name, value]);
  }
  if (request.filters.length > maxFilters) refuse(`At most ${maxFilters} filters can be given`);
  return request;
};
