import { ConnectorError, type FailureKind } from '../../connector.ts';

/** What the program was doing. */
export type Phase = 'init' | 'plan' | 'apply' | 'read';

interface Diagnostic {
  severity?: string;
  summary?: string;
  address?: string;
  range?: { filename?: string; start?: { line?: number } };
}

/** Replaces what must not be seen. */
export type Redact = (text: string) => string;

/** Hides these values wherever they turn up. */
export const redacting = (secrets: readonly string[]): Redact => {
  // The longest first: one may be part of another.
  const hidden = [...new Set(secrets)].filter((secret) => secret.length >= 4).sort((a, b) => b.length - a.length);
  return (text) => hidden.reduce((rest, secret) => rest.replaceAll(secret, '[hidden]'), text);
};

interface Line {
  type?: string;
  diagnostic?: Diagnostic;
  changes?: { operation?: string };
}

const objectIn = <T extends object>(text: string): Partial<T> => {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {};
  }
};

/** Output in JSON lines: https://opentofu.org/docs/internals/machine-readable-ui/ */
const linesOf = (output: string) => output.split('\n').map((line) => objectIn<Line>(line));

const firstError = (output: string): Diagnostic | undefined => {
  // `validate` tells it all in one object.
  const { diagnostics } = objectIn<{ diagnostics: unknown }>(output);
  const all = Array.isArray(diagnostics) ? (diagnostics as Diagnostic[]) : linesOf(output).map(({ diagnostic }) => diagnostic);
  return all.find((diagnostic) => diagnostic?.severity === 'error');
};

/** What the configuration of the resource type or the module has wrong: another attempt would find it so again. */
const senseless = /variable|Unsupported (argument|attribute|block)|Missing required argument|Reference to undeclared/i;
const busy = /state lock/i;
const unreachable = /backend|Failed to (get|load) (existing )?(state|workspaces)/i;

const kindOf = (phase: Phase, { summary = '', range }: Diagnostic) => {
  if (busy.test(summary)) return 'failed';
  if (phase === 'apply') return 'unknown';
  if (unreachable.test(summary)) return 'failed';
  // Before anything runs, what is wrong at a place of a file is wrong for good.
  return senseless.test(summary) || (phase === 'init' && range !== undefined) ? 'refused' : 'failed';
};

const placeOf = ({ address, range }: Diagnostic): string =>
  address ?? (range?.filename ? `${range.filename}:${range.start?.line ?? 0}` : '');

/** What is said of a program that answers nonsense, or nothing; none of its words, which may be secrets. */
export const senselessAnswer = (kind: FailureKind): ConnectorError =>
  new ConnectorError(
    kind,
    'The program that runs modules gives no answer that is understood: its installation has to be looked at, and its way to the database for states',
  );

/** Whether a run has told that it has applied all of its plan. */
export const isApplied = (output: string): boolean =>
  linesOf(output).some(({ type, changes }) => type === 'change_summary' && changes?.operation === 'apply');

/** Whether a run that went wrong has told why: then it came to its own end. */
export const hasExplained = (output: string): boolean => firstError(output) !== undefined;

/**
 * What people may read of a run that went wrong, from its output in JSON lines: which error, and where. Details and output of programs,
 * where secrets may be, are left out.
 */
export const explainFailure = (phase: Phase, output: string, redact: Redact): ConnectorError => {
  const first = firstError(output);
  if (!first) return senselessAnswer(phase === 'apply' ? 'unknown' : 'failed');
  const place = placeOf(first);
  return new ConnectorError(
    kindOf(phase, first),
    redact(`The module has failed${place ? ` at ${place}` : ''}: ${first.summary ?? 'for no given reason'}`),
  );
};
