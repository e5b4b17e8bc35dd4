import { AppError } from '@accessops/errors';
import { type Filter, type ListQuery, Operator } from '@accessops/proto/accessops/common/v1/common_pb';

const likePattern = (text: string): RegExp =>
  new RegExp(
    `^${text
      .split('%')
      .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
      .join('.*')}$`,
    's',
  );

const fits = (key: string, { operator, values }: Filter): boolean => {
  const [value = ''] = values;
  switch (operator) {
    case Operator.EQ:
      return key === value;
    case Operator.NE:
      return key !== value;
    case Operator.GT:
      return key > value;
    case Operator.GTE:
      return key >= value;
    case Operator.LT:
      return key < value;
    case Operator.LTE:
      return key <= value;
    case Operator.IN:
      return values.includes(key);
    case Operator.LIKE:
      return likePattern(value).test(key);
    default:
      throw new AppError('INVALID_FILTER', 'key has an unknown operator');
  }
};

/** A page of keys that stand in code and not in a table; `next` is the last key of the page, empty on the last one. Errors: INVALID_FILTER. */
export const pageOfKeys = (keys: readonly string[], query: ListQuery | undefined): { keys: string[]; next: string } => {
  const { filters = [], sort = [], after = '', limit = 0 } = query ?? {};
  for (const { field } of [...filters, ...sort]) if (field !== 'key') throw new AppError('INVALID_FILTER', `Unknown field ${field}`);
  const descending = sort[0]?.descending ?? false;
  const found = keys.filter((key) => filters.every((filter) => fits(key, filter))).sort();
  if (descending) found.reverse();
  const rest = after ? found.filter((key) => (descending ? key < after : key > after)) : found;
  const page = rest.slice(0, limit || 50);
  return { keys: page, next: page.length < rest.length ? (page.at(-1) ?? '') : '' };
};
