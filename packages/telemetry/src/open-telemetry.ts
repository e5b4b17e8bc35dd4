import { openErrorReports } from './error-reports.ts';
import { createLogger, type Logger } from './logger.ts';
import type { TelemetryConfig } from './telemetry-config.ts';
import { openTracing, type Tracer } from './tracing.ts';

/** What a process tells of itself while it runs. */
export interface Telemetry {
  log: Logger;
  /** Undefined: nothing is traced. */
  tracer: Tracer | undefined;
  /** Sends what is left. */
  close(): Promise<void>;
}

export interface TelemetryOptions {
  logLevel: string;
  telemetry: TelemetryConfig;
}

/** Opens the log of a process, its traces and its error reports, as far as they are configured; `otherLog` is written instead of its own. */
export const openTelemetry = async (service: string, { logLevel, telemetry }: TelemetryOptions, otherLog?: Logger): Promise<Telemetry> => {
  const errors = await openErrorReports(service, telemetry.errors);
  const log = otherLog ?? createLogger(service, logLevel, undefined, errors?.report);
  errors?.reportCrashes();
  const tracer = await openTracing(service, telemetry.tracing, log);
  return {
    log,
    tracer,
    close: async () => {
      await tracer?.close();
      await errors?.close();
    },
  };
};
