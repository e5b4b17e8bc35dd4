export interface ErrorReportsConfig {
  /** Where Sentry takes events of this project. */
  dsn: string;
  environment?: string;
  commitSha: string;
}

/** Tells Sentry of errors that nobody has foreseen. Whoever has none (no DSN is configured) tells nobody, and nothing is loaded. */
export interface ErrorReports {
  /** Tells of an error; of what the log says about it, only ids and names go along. */
  report(error: unknown, about: Record<string, unknown>): void;
  /** Has whatever ends the process told first. */
  reportCrashes(): void;
  /** Sends what is left, for a moment: a Sentry that does not answer holds up nobody. */
  close(): Promise<void>;
}

/** What tells of the errors of one process; undefined without a DSN. */
export const openErrorReports = async (service: string, config: ErrorReportsConfig | undefined): Promise<ErrorReports | undefined> => {
  if (!config) return undefined;
  const { createSentryReports } = await import('./sentry-reports.ts');
  return createSentryReports(service, config);
};
