import { ConnectorError } from '../../connector.ts';

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

const diagnosticOf = (line: string): Diagnostic[] => {
  try {
    const { diagnostic } = JSON.parse(line) as { diagnostic?: Diagnostic };
    return diagnostic?.severity === 'error' ? [diagnostic] : [];
  } catch {
    return [];
  }
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

/**
 * What people may read of a run that went wrong, from its output in JSON lines: which error, and where. Details and output of programs,
 * where secrets may be, are left out.
 */
export const explainFailure = (phase: Phase, output: string, redact: Redact): ConnectorError => {
  const [first] = output.split('\n').flatMap(diagnosticOf);
  if (!first) return new ConnectorError(phase === 'apply' ? 'unknown' : 'failed', 'The module could not be run');
  const place = placeOf(first);
  return new ConnectorError(
    kindOf(phase, first),
    redact(`The module has failed${place ? ` at ${place}` : ''}: ${first.summary ?? 'for no given reason'}`),
  );
};
