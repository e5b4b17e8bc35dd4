import { AppError } from '@accessops/errors';

/** What `If-Match` demands of the thing that a call changes (RFC 9110 section 13.1.1). */
export interface Precondition {
  /**
   * Throws PRECONDITION_FAILED when the caller expects another version; undefined: the thing is not there.
   * The row has to be locked, or its change to depend on this version: only then can nobody come between.
   */
  expectVersion(version: number | undefined): void;
  /** Throws INVALID_HEADER when nothing has looked at the demand: it may not be passed over. */
  requireChecked(): void;
}

const any = '*';

/** The demand as the gateway hands it on: `*`, or versions separated by commas; empty: there is none. */
export const preconditionOf = (demand: string): Precondition => {
  const versions = demand.split(',').map(Number);
  let checked = demand === '';
  return {
    expectVersion: (version) => {
      checked = true;
      if (demand === '' || (demand === any && version !== undefined)) return;
      if (version === undefined || !versions.includes(version)) throw new AppError('PRECONDITION_FAILED');
    },
    requireChecked: () => {
      if (!checked) throw new AppError('INVALID_HEADER', 'If-Match cannot be used here');
    },
  };
};
