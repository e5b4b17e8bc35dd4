import { until } from '@accessops/testing';
import { type Connector, ConnectorError } from '../src/connector.ts';

// What is said of a target, or by a worker, that has stood still.
const standstill =
  /not get it done in time|not got it done in time|cannot be reached|was lost before|has not confirmed|takes no sessions|cannot do it now/;

const isStandstill = (error: unknown) => error instanceof ConnectorError && standstill.test(error.message);

/** Tries again, as a job does, what has failed because something stood still for longer than a connector waits. */
const patiently =
  <A extends unknown[], T>(call: (...args: A) => Promise<T>) =>
  async (...args: A): Promise<T> => {
    const ended = await until(
      () =>
        call(...args).then(
          (answer) => () => answer,
          (error: unknown) => {
            if (isStandstill(error)) throw error;
            return (): T => {
              throw error;
            };
          },
        ),
      { timeoutMs: 50_000, what: 'a target that answers' },
    );
    return ended();
  };

/** A connector that is as patient as the jobs that it works for. */
export const patient = (connector: Connector): Connector => {
  const { plan, apply, verify, revoke, extend, list } = connector;
  return {
    ...connector,
    plan: patiently(plan),
    apply: patiently(apply),
    verify: patiently(verify),
    revoke: patiently(revoke),
    ...(extend && { extend: patiently(extend) }),
    ...(list && { list: patiently(list) }),
  };
};
