import { type Connectors, connectorNamed, deadlineOf, failureKindOf, type Plan } from '../connector.ts';
import type { Sealed, Vault } from '../credentials/vault.ts';
import { withDeadline } from '../deadline.ts';
import { accessOf } from '../jobs/access-of.ts';
import { pauseAfterMs } from '../jobs/back-off.ts';
import { publicText } from '../jobs/run-attempt.ts';
import { type ClaimedPlan, planAttempts } from './planned.ts';

/** What came of an attempt to make a plan. */
export type Planning =
  | { status: 'READY'; steps: string[]; sealed: Sealed | null }
  | { status: 'PENDING'; error: string; pauseMs: number }
  | { status: 'FAILED'; error: string };

/** Asks the connector what it would do. Throws whatever it throws, and a TimeoutError. */
export const askForPlan = (
  connectors: Connectors,
  { target, jobId, ...of }: Omit<ClaimedPlan, 'requestId' | 'attempts'>,
  deadlineMs: number,
  parent: AbortSignal,
): Promise<Plan> => {
  const connector = connectorNamed(connectors, target.connector);
  const job = {
    ...of,
    attempts: 1,
    fence: 1,
    kind: 'PROVISION',
    grant: null,
    spec: { ...target, key: jobId },
    waitingSince: null,
  } as const;
  const access = accessOf(job, new Date());
  return withDeadline(deadlineMs, parent, (signal) => connector.plan(access, signal));
};

const usualMs = 20_000;
// Nobody waits for a plan as they wait for access: the pauses begin where those of jobs end.
const calmly = 3;

/** Makes a plan, if it can be made now; what is to be kept of it for applying it is sealed for its job. Does not throw. */
export const makePlan = async (connectors: Connectors, vault: Vault, claimed: ClaimedPlan, parent: AbortSignal): Promise<Planning> => {
  const deadlineMs = deadlineOf(connectors, claimed.target, usualMs);
  try {
    const { steps, saved } = await askForPlan(connectors, claimed, deadlineMs, parent);
    return { status: 'READY', steps, sealed: saved === undefined ? null : await vault.seal(saved, claimed.jobId) };
  } catch (cause) {
    const error = publicText(cause);
    if (failureKindOf(cause) === 'refused' || claimed.attempts >= planAttempts) return { status: 'FAILED', error };
    return { status: 'PENDING', error, pauseMs: pauseAfterMs(claimed.attempts + calmly) };
  }
};
