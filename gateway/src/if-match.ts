import { AppError } from '@accessops/errors';
import type { Route } from './define-route.ts';

const any = '*';
// RFC 9110 section 8.8.3, with the comma that ends it in a list.
const entityTag = /\s*(?:W\/)?"([\x21\x23-\x7e]*)"\s*(?:,|$)/y;
const ours = /^[1-9]\d{0,9}$/;

/** Whether a route changes the very thing that its path names. */
export const takesIfMatch = ({ method }: Pick<Route, 'method'>): boolean => method !== 'get' && method !== 'post';

/**
 * The versions an `If-Match` header names, separated by commas as the services read them; `*` for any, 0 for a tag that is none of ours.
 * A tag means its version, weak or not: that is what must not have changed. Errors: INVALID_HEADER.
 */
export const parseIfMatch = (header: string): string => {
  if (header.trim() === any) return any;
  const versions: string[] = [];
  entityTag.lastIndex = 0;
  while (entityTag.lastIndex < header.length) {
    const found = entityTag.exec(header);
    if (!found || versions.length === 20) throw new AppError('INVALID_HEADER', 'If-Match must be * or up to 20 entity tags like W/"3"');
    versions.push(found[1] && ours.test(found[1]) ? found[1] : '0');
  }
  if (versions.length === 0) throw new AppError('INVALID_HEADER', 'If-Match must not be empty');
  return versions.join(',');
};
