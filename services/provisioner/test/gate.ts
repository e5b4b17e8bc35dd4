import { EventEmitter, once } from 'node:events';
import type { Access, Connector } from '../src/connector.ts';

/** What stands in front of a target: while it is closed, calls about access that was asked for with the parameter `gate` wait. */
export interface Gate {
  open(): void;
  close(): void;
  inFrontOf(target: Connector): Connector;
}

/** Has access stand at the gate. */
export const gated = { parameters: { gate: 'simulated' } };

/** A gate that is open. */
export const createGate = (): Gate => {
  const doors = new EventEmitter().setMaxListeners(0);
  let isOpen = true;
  const pass = async ({ parameters }: Access, signal: AbortSignal) => {
    while (!isOpen && parameters.gate) await once(doors, 'open', { signal });
  };
  return {
    open: () => {
      isOpen = true;
      doors.emit('open');
    },
    close: () => {
      isOpen = false;
    },
    inFrontOf: (target) => {
      const behind =
        <T>(call: (access: Access, signal: AbortSignal) => Promise<T>) =>
        async (access: Access, signal: AbortSignal): Promise<T> => {
          await pass(access, signal);
          return call(access, signal);
        };
      const { plan, apply, extend, revoke } = target;
      return { ...target, plan: behind(plan), apply: behind(apply), ...(extend && { extend: behind(extend) }), revoke: behind(revoke) };
    },
  };
};
