/** A configuration that cannot be used; every problem on a line of its own. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

// sysexits(3): EX_CONFIG. Supervisors need not try again.
const configExitCode = 78;

/** What runs, as far as its process is concerned. */
export interface Runnable {
  close(): Promise<void>;
  /** When it turns out after the start that the configuration cannot be used. */
  refused?: Promise<ConfigError>;
}

/**
 * Runs a process until it is told to stop: `start` answers what closes it. SIGTERM and SIGINT close it once;
 * a configuration error ends with exit code 78, any other failure with 1.
 */
export const runProcess = (start: () => Promise<Runnable>): void => {
  const started = start();
  let stopping = false;
  const stop = (exitCode: number) => {
    if (stopping) return;
    stopping = true;
    started
      .then((running) => running.close())
      .then(
        () => process.exit(exitCode),
        (error: unknown) => {
          process.stderr.write(`could not stop cleanly: ${String(error)}\n`);
          process.exit(exitCode || 1);
        },
      );
  };
  process.on('SIGTERM', () => stop(0));
  process.on('SIGINT', () => stop(0));
  started
    .then(({ refused }) => refused)
    .then(
      (refusal) => {
        if (!refusal) return;
        process.stderr.write(`${refusal.message}\n`);
        stop(configExitCode);
      },
      (error: unknown) => {
        process.stderr.write(`${error instanceof ConfigError ? error.message : String(error instanceof Error ? error.stack : error)}\n`);
        process.exit(error instanceof ConfigError ? configExitCode : 1);
      },
    );
};
