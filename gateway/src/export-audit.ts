import type { AuditEvent, ExportAuditEventsResponse } from '@accessops/proto/accessops/audit/v1/audit_pb';
import { download } from './download.ts';
import { type AuditEventJson, auditEventExample, auditEventJson } from './representations/audit-event.ts';

const columns: [name: string, read: (event: AuditEventJson) => unknown][] = [
  ['sequence', ({ sequence }) => sequence],
  ['id', ({ id }) => id],
  ['occurredAt', ({ occurredAt }) => occurredAt],
  ['actorId', ({ actor }) => actor.id],
  ['actorType', ({ actor }) => actor.type],
  ['actorEmail', ({ actor }) => actor.email],
  ['action', ({ action }) => action],
  ['entityType', ({ entityType }) => entityType],
  ['entityId', ({ entityId }) => entityId],
  ['changes', ({ changes }) => JSON.stringify(changes)],
  ['ip', ({ ip }) => ip],
  ['userAgent', ({ userAgent }) => userAgent],
  ['requestId', ({ requestId }) => requestId],
  ['hash', ({ hash }) => hash],
];

/** One quoted CSV value (RFC 4180); what a spreadsheet would run as a formula gets an apostrophe in front (OWASP, CSV injection). */
export const csvValue = (value: unknown): string => {
  const text = String(value ?? '');
  return `"${(/^[=+\-@\t\r\n]/.test(text) ? `'${text}` : text).replaceAll('"', '""')}"`;
};

const csvLine = (event: AuditEventJson): string => `${columns.map(([, read]) => csvValue(read(event))).join(',')}\r\n`;

const formats = {
  jsonl: { type: 'application/jsonl', head: '', line: (event: AuditEventJson) => `${JSON.stringify(event)}\n` },
  csv: { type: 'text/csv; charset=utf-8', head: `${columns.map(([name]) => name).join(',')}\r\n`, line: csvLine },
};

export type ExportFormat = keyof typeof formats;

/** A sample of each format, for the document. */
export const exportSamples: Record<string, string> = {
  'application/jsonl': formats.jsonl.line(auditEventExample),
  'text/csv': formats.csv.head + csvLine(auditEventExample),
};

const textOf = (format: ExportFormat, events: AuditEvent[]): string =>
  events.map((event) => formats[format].line(auditEventJson(event))).join('');

/** An answer that hands batches of events on as they come; see `download`. */
export const exportAnswer = (batches: AsyncIterable<ExportAuditEventsResponse>, format: ExportFormat): Promise<Response> => {
  const { type, head } = formats[format];
  const encoder = new TextEncoder();
  return download(batches, {
    filename: `audit.${format}`,
    type,
    head: encoder.encode(head),
    bytesOf: ({ items }) => encoder.encode(textOf(format, items)),
  });
};
