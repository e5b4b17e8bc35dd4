/** Something a loop can sleep on until it is rung. */
export interface Bell {
  /** Wakes the loop; rung while it is awake, it does not sleep next time. */
  ring(): void;
  /** Resolves when rung, or after this time. */
  wait(ms: number): Promise<void>;
}

/** A bell for one loop. */
export const createBell = (): Bell => {
  let rung = false;
  let wake: (() => void) | undefined;
  return {
    ring: () => {
      rung = true;
      wake?.();
    },
    wait: async (ms) => {
      if (!rung) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, ms);
          wake = () => {
            clearTimeout(timer);
            resolve();
          };
        });
        wake = undefined;
      }
      rung = false;
    },
  };
};
