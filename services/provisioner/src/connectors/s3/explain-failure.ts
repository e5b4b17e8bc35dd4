import { ConnectorError } from '../../connector.ts';

const nameOf = (error: unknown): string => (error instanceof Error ? error.name.replace(/Exception$/, '') : '');

/** Whether what was asked for is not there. */
export const isMissing = (error: unknown): boolean => nameOf(error) === 'NoSuchEntity';

/** Whether what was to be made is there already. */
export const isThere = (error: unknown): boolean => nameOf(error) === 'EntityAlreadyExists';

const badKey = new Set(['InvalidClientTokenId', 'SignatureDoesNotMatch', 'UnrecognizedClient', 'InvalidAccessKeyId']);
const refusals = new Set(['AccessDenied', 'MalformedPolicyDocument', 'InvalidInput', 'ValidationError', 'LimitExceeded', 'NotImplemented']);
const busy = new Set(['Throttling', 'ServiceUnavailable', 'ServiceFailure', 'ConcurrentModification', 'EntityTemporarilyUnmodifiable']);

/** What people may read of a failure, and what is known after it; `touched`: something was asked before that changes the store. */
export const explainFailure = (login: string, touched: boolean, error: unknown): ConnectorError => {
  if (error instanceof ConnectorError) return error;
  const name = nameOf(error);
  if (badKey.has(name)) return new ConnectorError('refused', `The store does not accept the key of the login "${login}"`, error);
  if (refusals.has(name)) return new ConnectorError('refused', `The store refuses (${name})`, error);
  if (busy.has(name)) return new ConnectorError('failed', `The store cannot do it now (${name})`, error);
  if (touched) return new ConnectorError('unknown', 'The store has not confirmed the change', error);
  return new ConnectorError('failed', `The store of the login "${login}" cannot be reached`, error);
};
