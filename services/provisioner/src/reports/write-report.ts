import { stringify } from 'csv-stringify/sync';
import { contents, type Line } from './contents.ts';
import type { Report } from './report.ts';

async function* csv(columns: readonly string[], pages: AsyncIterable<Line[]>): AsyncGenerator<string> {
  // What a spreadsheet would run as a formula gets an apostrophe in front (OWASP, CSV injection).
  const options = { columns: [...columns], escape_formulas: true, record_delimiter: 'windows' as const };
  yield stringify([], { ...options, header: true });
  for await (const lines of pages) yield stringify(lines, options);
}

async function* json(columns: readonly string[], pages: AsyncIterable<Line[]>): AsyncGenerator<string> {
  let separator = '[\n';
  for await (const lines of pages) {
    for (const line of lines) {
      yield `${separator}${JSON.stringify(Object.fromEntries(columns.map((column) => [column, line[column]])))}`;
      separator = ',\n';
    }
  }
  yield separator === '[\n' ? '[]\n' : '\n]\n';
}

const writers = { csv, json };

/** The file of a report, piece by piece, out of its pages. */
export async function* writeReport(
  { kind, format }: Pick<Report, 'kind' | 'format'>,
  pages: AsyncIterable<Line[]>,
): AsyncGenerator<Uint8Array> {
  for await (const piece of writers[format](contents[kind].columns, pages)) yield Buffer.from(piece);
}
