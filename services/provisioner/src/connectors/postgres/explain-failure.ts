import { ConnectorError } from '../../connector.ts';

/** How far a transaction at the target had come. */
export type Phase = 'connecting' | 'working' | 'committing';

const textOf = (error: unknown, name: string): string => {
  const value = typeof error === 'object' && error !== null ? Reflect.get(error, name) : undefined;
  return typeof value === 'string' ? value : '';
};

// What an administrator of the target can put right; PostgreSQL's own words name the object.
const refusals = new Set(['42501', '42704', '0LP01', '0LP02', '2BP01', '3F000', '42P01', '42P06', '0A000', '42939', '22023']);
const badLogin = new Set(['28000', '28P01']);
const noDatabase = '3D000';
const busy = new Set(['53300', '57P01', '57P02', '57P03', '53400']);
const timedOut = new Set(['55P03', '57014', '25P03', '25P04', '40P01', '40001']);

const explanationOf = (login: string, error: unknown): ['refused' | 'failed', string] => {
  const code = textOf(error, 'code');
  if (badLogin.has(code)) return ['refused', `The database server does not accept the login "${login}"`];
  if (code === noDatabase) return ['refused', `The database of the login "${login}" does not exist`];
  if (refusals.has(code)) return ['refused', `The database refuses: ${textOf(error, 'message')}`];
  if (busy.has(code)) return ['failed', `The database server of the login "${login}" takes no sessions at the moment`];
  if (timedOut.has(code)) return ['failed', 'The database did not get it done in time; nothing was changed'];
  if (/^[0-9A-Z]{5}$/.test(code)) return ['failed', `The database reports the error ${code}`];
  return ['failed', `The database server of the login "${login}" cannot be reached`];
};

/**
 * What people may read of a failure at a target, and what is known after it: a transaction that was not told to commit has
 * changed nothing; one whose commit nobody has confirmed may have.
 */
export const explainFailure = (login: string, phase: Phase, error: unknown): ConnectorError => {
  if (error instanceof ConnectorError) return error;
  const [kind, message] = explanationOf(login, error);
  if (phase === 'committing' && kind === 'failed') {
    return new ConnectorError('unknown', 'The connection was lost before the database had confirmed the change', error);
  }
  return new ConnectorError(kind, message, error);
};
