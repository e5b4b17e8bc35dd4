import { newId } from '@accessops/db';
import type { Logger } from '@accessops/telemetry';
import { type Access, ConnectorError, type Connectors, connectorNamed, finalFence, type Handle } from '../connector.ts';
import type { Sealed, Vault } from '../credentials/vault.ts';
import { pauseAfterMs } from './back-off.ts';
import { attemptOfBudget, type ClaimedJob, isLastAttempt, isSpent } from './job.ts';

/** What came of an attempt. */
export type Outcome =
  | { kind: 'provisioned'; grantId: string; handle: Handle; sealed: Sealed }
  | { kind: 'revoked' }
  | { kind: 'retry'; error: string; pauseMs: number }
  | { kind: 'failed'; error: string };

export interface Tools {
  connectors: Connectors;
  vault: Vault;
  log: Logger;
}

/** Runs a call to a target within its deadline. */
export type Within = <T>(call: (signal: AbortSignal) => Promise<T>) => Promise<T>;

const accessOf = ({ tenantId, requesterId, attempts, kind, spec }: ClaimedJob): Access => ({
  key: spec.key,
  tenantId,
  holderId: requesterId,
  resourceKey: spec.resourceKey,
  role: spec.role,
  config: spec.config,
  parameters: spec.parameters,
  attempt: attempts,
  fence: kind === 'REVOKE' ? finalFence : attempts,
});

/** What people may read of a failure: only what a connector has said for them. */
export const publicText = (error: unknown): string => {
  if (error instanceof ConnectorError) return error.message.slice(0, 500);
  if (error instanceof Error && (error.name === 'AbortError' || error.name === 'TimeoutError')) return 'The target did not answer in time';
  return 'The connector failed unexpectedly';
};

const isPermanent = (error: unknown): boolean => error instanceof ConnectorError && error.permanent;

const takeAway = async ({ connectors }: Tools, job: ClaimedJob, signal: AbortSignal): Promise<void> => {
  const connector = connectorNamed(connectors, job.spec.connector);
  const access = accessOf(job);
  await connector.revoke(access, signal);
  if (await connector.verify(access, signal)) throw new ConnectorError('The target still has the access');
};

const provision = async ({ connectors, vault }: Tools, job: ClaimedJob, signal: AbortSignal): Promise<Outcome> => {
  if (job.requesterGone) throw new ConnectorError('The requester has been deactivated', { permanent: true });
  const { handle, credential } = await connectorNamed(connectors, job.spec.connector).apply(accessOf(job), signal);
  const grantId = newId();
  return { kind: 'provisioned', grantId, handle, sealed: vault.seal(JSON.stringify(credential), grantId) };
};

/** A failed attempt may have reached the target all the same: a job fails only when nothing of it is left there. */
const giveUp = async (tools: Tools, job: ClaimedJob, error: string, within: Within): Promise<Outcome> => {
  if (!tools.connectors.has(job.spec.connector)) return { kind: 'failed', error };
  try {
    await within((signal) => takeAway(tools, job, signal));
    return { kind: 'failed', error };
  } catch (cause) {
    tools.log.error({ err: cause, jobId: job.id }, 'a failed job could not be cleared up after');
    if (isPermanent(cause)) return { kind: 'failed', error };
    return { kind: 'retry', error, pauseMs: pauseAfterMs(attemptOfBudget(job)) };
  }
};

/** Carries out one attempt at a claimed job: only the target is touched, never the job. Does not throw. */
export const runAttempt = async (tools: Tools, job: ClaimedJob, within: Within): Promise<Outcome> => {
  if (isSpent(job)) return giveUp(tools, job, job.lastError ?? 'The worker was lost', within);
  try {
    if (job.kind === 'PROVISION') return await within((signal) => provision(tools, job, signal));
    await within((signal) => takeAway(tools, job, signal));
    return { kind: 'revoked' };
  } catch (cause) {
    const error = publicText(cause);
    tools.log.warn({ err: cause, jobId: job.id, requestId: job.origin.requestId, attempt: job.attempts }, 'attempt failed');
    if (job.kind === 'PROVISION' && (isPermanent(cause) || isLastAttempt(job))) return giveUp(tools, job, error, within);
    return { kind: 'retry', error, pauseMs: pauseAfterMs(attemptOfBudget(job)) };
  }
};
