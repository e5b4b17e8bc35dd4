import { type ExportAuditEventsResponse, ExportAuditEventsResponseSchema } from '@accessops/proto/accessops/audit/v1/audit_pb';
import { create } from '@bufbuild/protobuf';
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import { describe, expect, test } from 'vitest';
import { csvValue, exportAnswer } from './export-audit.ts';

const batch = (...sequences: number[]): ExportAuditEventsResponse =>
  create(ExportAuditEventsResponseSchema, {
    items: sequences.map((sequence) => ({
      id: `id-${sequence}`,
      sequence: BigInt(sequence),
      occurredAt: timestampFromDate(new Date(0)),
      actor: { id: 'a', type: 'user', email: '=cmd@x.test' },
      action: 'A',
      changesJson: '{"a":{"after":"x\\"y"}}',
    })),
  });

async function* batches(...all: (ExportAuditEventsResponse | Error)[]) {
  for (const one of all) {
    if (one instanceof Error) throw one;
    yield one;
  }
}

describe('the export of audit events', () => {
  test('when it is JSON lines, then each event is a line', async () => {
    const answer = await exportAnswer(batches(batch(1, 2), batch(3)), 'jsonl');
    const lines = (await answer.text()).trimEnd().split('\n');
    expect(lines.map((line) => (JSON.parse(line) as { sequence: number }).sequence)).toEqual([1, 2, 3]);
    expect(answer.headers.get('content-type')).toBe('application/jsonl');
  });

  test('when it is CSV, then the first line names the columns, values are quoted and formulas are none', async () => {
    const answer = await exportAnswer(batches(batch(1)), 'csv');
    const [head, line, rest] = (await answer.text()).split('\r\n');
    expect(head?.split(',').slice(0, 3)).toEqual(['sequence', 'id', 'occurredAt']);
    expect(line).toContain(`"'=cmd@x.test"`);
    expect(line).toContain('"{""a"":{""after"":""x\\""y""}}"');
    expect(rest).toBe('');
  });

  test('when there is nothing, then it is empty, but for the columns', async () => {
    expect(await (await exportAnswer(batches(), 'jsonl')).text()).toBe('');
    expect((await (await exportAnswer(batches(), 'csv')).text()).trim()).toMatch(/^sequence,/);
  });

  test('when it fails before the first batch, then the error is thrown and not answered', async () => {
    await expect(exportAnswer(batches(new Error('down')), 'jsonl')).rejects.toThrow('down');
  });

  test('when it fails later, then the answer breaks off', async () => {
    const answer = await exportAnswer(batches(batch(1), new Error('down')), 'jsonl');
    await expect(answer.text()).rejects.toThrow('down');
  });

  test.each(['=1+1', '+1', '-1', '@x', '\tx', '\rx', '\nx'])('when a value is %j, then a spreadsheet takes it for text', (value) => {
    expect(csvValue(value)).toBe(`"'${value}"`);
  });

  test('when a value is ordinary, absent or quoted, then it is itself', () => {
    expect([csvValue('a"b'), csvValue(null), csvValue(undefined), csvValue(7)]).toEqual(['"a""b"', '""', '""', '"7"']);
  });
});
