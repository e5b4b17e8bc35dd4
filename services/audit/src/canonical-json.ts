/** A value that came out of JSON.parse. */
export type Json = string | number | boolean | null | Json[] | { [name: string]: Json };

/**
 * JSON in the one form that RFC 8785 (JSON Canonicalization Scheme) leaves: no white space, members sorted by the
 * UTF-16 code units of their names, numbers and strings as ECMAScript writes them.
 */
export const canonicalJson = (value: Json): string => {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  const members = Object.keys(value)
    .sort()
    .map((name) => `${JSON.stringify(name)}:${canonicalJson(value[name] ?? null)}`);
  return `{${members.join(',')}}`;
};
