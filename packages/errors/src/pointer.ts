/** A JSON pointer (RFC 6901) to what stands at a path; empty for the whole. */
export const pointerTo = (path: readonly PropertyKey[]): string =>
  path.map((member) => `/${String(member).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
