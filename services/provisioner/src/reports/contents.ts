import { costOf } from '../grants/cost.ts';
import type { Report, ReportKind } from './report.ts';

/** One line of a report; the names of its columns are the keys. */
export type Line = Record<string, string | number | null>;

/** What one kind of report holds. */
export interface Content {
  columns: readonly string[];
  /** One page by key-set over the columns `at` and `id`: tenant, since, until, the last page's end (at, id) and the limit. */
  page: string;
  /** Columns that are made of the others. */
  complete?(row: PageRow, now: Date): Line;
}

const time = (column: string) => `to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;

/** Key-set columns that are not for readers. */
export type PageRow = Line & { at: string; id: string };

const grants: Content = {
  columns: [
    'grantId',
    'requestId',
    'holderId',
    'resourceId',
    'resourceKey',
    'role',
    'status',
    'activatedAt',
    'expiresAt',
    'endedAt',
    'endReason',
    'pricePerHour',
    'currency',
    'cost',
  ],
  // Whatever was in force in the time asked about, whenever it began.
  page: `select id, activated_at as at, id as "grantId", request_id as "requestId", holder_id as "holderId", resource_id as "resourceId",
      access ->> 'resourceKey' as "resourceKey", role, status, ${time('activated_at')} as "activatedAt", ${time('expires_at')} as "expiresAt",
      ${time('ended_at')} as "endedAt", end_reason as "endReason",
      (access -> 'pricePerHour' ->> 'amount')::bigint as "pricePerHour", access -> 'pricePerHour' ->> 'currency' as currency
    from access_grant
    where tenant_id = ? and coalesce(ended_at, 'infinity') >= ? and activated_at < ? and (activated_at, id) > (?::timestamptz, ?::uuid)
    order by activated_at, id limit ?`,
  complete: ({ pricePerHour, currency, activatedAt, endedAt }, now) => {
    const price = pricePerHour === null ? null : { amount: Number(pricePerHour), currency: String(currency) };
    const ended = endedAt === null ? null : new Date(String(endedAt));
    const cost = costOf({ pricePerHour: price, activatedAt: new Date(String(activatedAt)), endedAt: ended }, now);
    return { pricePerHour: price?.amount ?? null, cost: cost?.amount ?? null };
  },
};

const jobs: Content = {
  columns: ['jobId', 'requestId', 'kind', 'queue', 'status', 'attempts', 'lastError', 'createdAt', 'startedAt', 'finishedAt'],
  page: `select id, created_at as at, id as "jobId", request_id as "requestId", kind, queue, status, attempts, last_error as "lastError",
      ${time('created_at')} as "createdAt", ${time('started_at')} as "startedAt", ${time('finished_at')} as "finishedAt"
    from job
    where tenant_id = ? and created_at >= ? and created_at < ? and (created_at, id) > (?::timestamptz, ?::uuid)
    order by created_at, id limit ?`,
};

export const contents: Readonly<Record<ReportKind, Content>> = { grants, jobs };

/** A page after another, read when it is taken; nothing is held meanwhile. */
export async function* pagesOf(
  report: Pick<Report, 'kind' | 'tenantId' | 'since' | 'until'>,
  read: (sql: string, values: unknown[]) => Promise<PageRow[]>,
  now: () => Date,
  size = 1000,
): AsyncGenerator<Line[]> {
  const { page, complete } = contents[report.kind];
  let [at, id]: unknown[] = ['-infinity', '00000000-0000-0000-0000-000000000000'];
  for (;;) {
    const rows = await read(page, [report.tenantId, report.since ?? '-infinity', report.until, at, id, size]);
    if (rows.length > 0) yield complete ? rows.map((row) => ({ ...row, ...complete(row, now()) })) : rows;
    const last = rows.at(-1);
    if (!last || rows.length < size) return;
    ({ at, id } = last);
  }
}
