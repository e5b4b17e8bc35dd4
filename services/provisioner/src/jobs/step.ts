import { failureKindOf } from '../connector.ts';
import { publicText } from './run-attempt.ts';

/** Something that is done at a target: `VERIFY` asks what an earlier attempt has left, `READ_BACK` whether what was taken away has gone. */
export type StepName = 'VERIFY' | 'APPLY' | 'EXTEND' | 'REVOKE' | 'READ_BACK';

/** WAITING: the target has promised an answer. */
export type StepStatus = 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'WAITING';

/** One step of an attempt, as it is kept with the job. */
export interface Step {
  name: StepName;
  attempt: number;
  status: StepStatus;
  /** RFC 3339. */
  startedAt: string;
  finishedAt: string | null;
  /** For people: what went wrong, or what is waited for. */
  message: string | null;
}

/** Keeps the steps of an attempt, behind those of the ones before. */
export interface StepLog {
  /** Runs a step and notes how it ends. */
  run<T>(name: StepName, work: () => Promise<T>): Promise<T>;
  steps(): Step[];
  /** Whether a step goes on for longer than this that `steps` has not been asked for since it began. */
  hasUnseen(olderThanMs: number): boolean;
}

// A target that does not let go is asked without end.
const kept = 20;

/** Begins to keep the steps of an attempt. What is still RUNNING of earlier ones was lost with its worker. */
export const createStepLog = (earlier: readonly Step[], attempt: number, now: () => Date): StepLog => {
  const time = () => now().toISOString();
  let steps: Step[] = earlier.map((step) =>
    step.status === 'RUNNING' ? { ...step, status: 'FAILED', finishedAt: time(), message: 'The worker was lost' } : step,
  );
  let unseenSince: number | undefined;
  return {
    run: async (name, work) => {
      const step: Step = { name, attempt, status: 'RUNNING', startedAt: time(), finishedAt: null, message: null };
      steps = [...steps, step].slice(-kept);
      unseenSince = performance.now();
      try {
        const result = await work();
        step.status = 'SUCCEEDED';
        return result;
      } catch (error) {
        step.status = failureKindOf(error) === 'pending' ? 'WAITING' : 'FAILED';
        step.message = publicText(error);
        throw error;
      } finally {
        step.finishedAt = time();
      }
    },
    steps: () => {
      unseenSince = undefined;
      return steps;
    },
    hasUnseen: (olderThanMs) => unseenSince !== undefined && performance.now() - unseenSince >= olderThanMs,
  };
};
