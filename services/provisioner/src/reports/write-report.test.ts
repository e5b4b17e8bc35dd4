import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import type { Line } from './contents.ts';
import { writeReport } from './write-report.ts';

const line = (lastError: string | null): Line => ({
  jobId: '1',
  requestId: null,
  kind: 'REPORT',
  queue: 'low',
  status: 'FAILED',
  attempts: 5,
  lastError,
  createdAt: '2026-11-21T09:30:00.000Z',
  startedAt: null,
  finishedAt: null,
  at: 'not for readers',
});
const pages = async function* (...all: Line[][]) {
  yield* all;
};
const written = (format: 'csv' | 'json', ...all: Line[][]) => text(writeReport({ kind: 'jobs', format }, pages(...all)));

const head = 'jobId,requestId,kind,queue,status,attempts,lastError,createdAt,startedAt,finishedAt\r\n';

test('when there is nothing, then there is a head, or an empty list', async () => {
  expect(await written('csv')).toBe(head);
  expect(await written('json')).toBe('[]\n');
});

test('when there are pages, then they follow each other under one head', async () => {
  const row = '1,,REPORT,low,FAILED,5,no,2026-11-21T09:30:00.000Z,,\r\n';
  expect(await written('csv', [line('no')], [line('no'), line('no')])).toBe(head + row.repeat(3));
  const parsed = JSON.parse(await written('json', [line('no')], [line(null)])) as Line[];
  expect(parsed.map(({ lastError }) => lastError)).toEqual(['no', null]);
  expect(Object.keys(parsed[0] ?? {})).not.toContain('at');
});

test.each(['=1+1', '+1', '-1', '@SUM(A1)', '\t=1', '\r=1', '＝1'])(
  'when a value would run as a formula (%j), then it is a text',
  async (value) => {
    const csv = await written('csv', [line(value)]);
    expect(csv.slice(head.length)).toMatch(/5,"?'/);
  },
);

test('when a value has commas, quotes or line breaks, then it stays one value', async () => {
  expect(await written('csv', [line('a, "b"\r\nc')])).toContain('5,"a, ""b""\r\nc",2026');
});
