import type { Look } from '@accessops/telemetry';
import type { Authorizer } from './authorizer.ts';

/** Looks whether the Cerbos at an address has our policies. */
export const lookAtPolicies =
  (authorizer: Pick<Authorizer, 'hasPolicies'>, address: string): Look =>
  async () =>
    (await authorizer.hasPolicies())
      ? []
      : [`CERBOS_ADDRESS: the Cerbos at ${address} has no policies of ours: let it serve the folder policies/ of this release`];
