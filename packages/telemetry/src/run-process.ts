/** A configuration that cannot be used; every problem on a line of its own. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

// sysexits(3): EX_CONFIG. Supervisors need not try again.
const configExitCode = 78;

/**
 * Runs a process until it is told to stop: `start` answers what closes it. SIGTERM and SIGINT close it once;
 * a configuration error ends with exit code 78, any other failure with 1.
 */
export const runProcess = (start: () => Promise<{ close(): Promise<void> }>): void => {
  const started = start();
  let stopping = false;
  const stop = () => {
    if (stopping) return;
    stopping = true;
    started
      .then((running) => running.close())
      .then(
        () => process.exit(0),
        (error: unknown) => {
          process.stderr.write(`could not stop cleanly: ${String(error)}\n`);
          process.exit(1);
        },
      );
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  started.catch((error: unknown) => {
    process.stderr.write(`${error instanceof ConfigError ? error.message : String(error instanceof Error ? error.stack : error)}\n`);
    process.exit(error instanceof ConfigError ? configExitCode : 1);
  });
};
