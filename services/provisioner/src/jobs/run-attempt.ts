import { newId } from '@accessops/db';
import { AppError } from '@accessops/errors';
import type { Logger } from '@accessops/telemetry';
import { type Access, type Answer, ConnectorError, type Connectors, connectorNamed, failureKindOf, type Handle } from '../connector.ts';
import type { Sealed, Vault } from '../credentials/vault.ts';
import type { Loss } from '../standing.ts';
import { aboutJob } from './about-job.ts';
import { accessOf } from './access-of.ts';
import { pauseAfterMs, pauseWhileWaitingMs } from './back-off.ts';
import { attemptOfBudget, type ClaimedJob, isLastAttempt, isSpent } from './job.ts';
import type { StepName } from './step.ts';

/** What came of an attempt. */
export type Outcome =
  | { kind: 'provisioned'; grantId: string; handle: Handle; sealed: Sealed }
  /** Access that was there before, put right, renewed or extended; null is what has stayed as it was. */
  | { kind: 'changed'; grantId: string; handle: Handle | null; sealed: Sealed | null }
  | { kind: 'revoked' }
  | { kind: 'retry'; error: string; unsure: boolean; pauseMs: number }
  /** The target has promised an answer: no attempt is spent. */
  | { kind: 'waiting'; error: string; unsure: true; pauseMs: number }
  | { kind: 'failed'; error: string; unsure: false };

export interface Tools {
  connectors: Connectors;
  vault: Vault;
  log: Logger;
  now: () => Date;
}

/** Runs a call to a target, which is a step of the job, within its deadline. */
export type Within = <T>(step: StepName, call: (signal: AbortSignal) => Promise<T>) => Promise<T>;

/** The access of a job, with the answer that it has waited for and what was kept of its plan. */
const accessWith = async ({ vault, now }: Tools, job: ClaimedJob): Promise<Access> =>
  accessOf(job, now(), {
    answer: job.answer && (JSON.parse(await vault.open(job.answer, job.spec.key)) as Answer),
    savedPlan: job.savedPlan && (await vault.open(job.savedPlan, job.spec.key)),
  });

/** What people may read of a failure: only what was said for them. */
export const publicText = (error: unknown): string => {
  if (error instanceof AppError) return error.message;
  if (error instanceof ConnectorError) return error.message.slice(0, 500);
  if (error instanceof Error && (error.name === 'AbortError' || error.name === 'TimeoutError')) return 'The target did not answer in time';
  return 'The connector failed unexpectedly';
};

const takeAway = async (tools: Tools, job: ClaimedJob, within: Within): Promise<void> => {
  const connector = connectorNamed(tools.connectors, job.spec.connector);
  const access = await accessWith(tools, job);
  await within('REVOKE', (signal) => connector.revoke(access, signal));
  await within('READ_BACK', async (signal) => {
    if (await connector.verify(access, signal)) throw new ConnectorError('failed', 'The target still has the access');
  });
};

const refusals: Record<Loss, string> = {
  TENANT_SUSPENDED: 'The tenant is suspended',
  USER_DEACTIVATED: 'The requester has been deactivated',
  RESOURCE_REMOVED: 'The resource has been removed',
};

/** Makes the access, or makes it anew; answers its credential, sealed for the grant. */
const make = async (tools: Tools, job: ClaimedJob, grantId: string, within: Within) => {
  const { connectors, vault, log } = tools;
  if (job.loss) throw new ConnectorError('refused', refusals[job.loss]);
  const connector = connectorNamed(connectors, job.spec.connector);
  const access = await accessWith(tools, job);
  // An earlier attempt ended in the dark: nothing more is asked of a target that cannot say what it has.
  if (job.unsure && !access.answer && (await within('VERIFY', (signal) => connector.verify(access, signal)))) {
    log.info(aboutJob(job), 'an earlier attempt did reach the target; its credential is renewed');
  }
  const { handle, credential } = await within('APPLY', (signal) => connector.apply(access, signal));
  return { grantId, handle, sealed: await vault.seal(JSON.stringify(credential), grantId) };
};

const grantToChange = ({ grantId, grant }: ClaimedJob): string => {
  if (!grantId || !grant?.inForce) throw new ConnectorError('refused', 'The access has ended');
  return grantId;
};

const extend = async (tools: Tools, job: ClaimedJob, grantId: string, within: Within): Promise<Outcome> => {
  const connector = connectorNamed(tools.connectors, job.spec.connector);
  const access = await accessWith(tools, job);
  // Where nothing ends by itself there is nothing to move.
  const credential = connector.extend ? await within('EXTEND', async (signal) => connector.extend?.(access, signal)) : null;
  const sealed = credential ? await tools.vault.seal(JSON.stringify(credential), grantId) : null;
  return { kind: 'changed', grantId, handle: null, sealed };
};

/** A failed attempt may have reached the target all the same: a job fails only when nothing of it is left there. */
const giveUp = async (tools: Tools, job: ClaimedJob, error: string, unsure: boolean, within: Within): Promise<Outcome> => {
  const failed: Outcome = { kind: 'failed', error, unsure: false };
  // The access of a grant stays as it is.
  if (job.kind !== 'PROVISION') return failed;
  if (!tools.connectors.has(job.spec.connector)) return failed;
  try {
    await takeAway(tools, job, within);
    return failed;
  } catch (cause) {
    tools.log.error({ err: cause, ...aboutJob(job) }, 'a failed job could not be cleared up after');
    // What refused every attempt before anything happened has nothing to give back.
    if (failureKindOf(cause) === 'refused' && !unsure) return failed;
    return { kind: 'retry', error, unsure, pauseMs: pauseAfterMs(attemptOfBudget(job)) };
  }
};

/** Carries out one attempt at a claimed job: only the target is touched, never the job. Does not throw. */
export const runAttempt = async (tools: Tools, job: ClaimedJob, within: Within): Promise<Outcome> => {
  if (job.cancelled) return giveUp(tools, job, 'Cancelled by an admin', job.unsure, within);
  if (isSpent(job)) return giveUp(tools, job, job.lastError ?? 'The worker was lost', job.unsure, within);
  try {
    if (job.kind === 'PROVISION') return { kind: 'provisioned', ...(await make(tools, job, newId(), within)) };
    if (job.kind === 'EXTEND') return await extend(tools, job, grantToChange(job), within);
    if (job.kind !== 'REVOKE') return { kind: 'changed', ...(await make(tools, job, grantToChange(job), within)) };
    await takeAway(tools, job, within);
    return { kind: 'revoked' };
  } catch (cause) {
    const error = publicText(cause);
    const kind = failureKindOf(cause);
    const unsure = job.unsure || kind === 'unknown';
    if (kind === 'pending') return { kind: 'waiting', error, unsure: true, pauseMs: pauseWhileWaitingMs(job.waitingSince, tools.now()) };
    tools.log.warn({ err: cause, ...aboutJob(job), failure: kind }, 'attempt failed');
    if (job.kind !== 'REVOKE' && (kind === 'refused' || isLastAttempt(job))) return giveUp(tools, job, error, unsure, within);
    return { kind: 'retry', error, unsure, pauseMs: pauseAfterMs(attemptOfBudget(job)) };
  }
};
