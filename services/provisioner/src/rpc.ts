import type { FileStore } from '@accessops/files';
import type { Handlers } from '@accessops/grpc';
import type { ProvisionerService } from '@accessops/proto/accessops/provisioner/v1/provisioner_pb';
import { type Call, command, query } from '@accessops/service';
import { type Timestamp, timestampDate, timestampFromDate } from '@bufbuild/protobuf/wkt';
import type { Connectors } from './connector.ts';
import { checkConnection } from './connectors/check-connection.ts';
import { readCredential } from './credentials/read-credential.ts';
import { recipientOf } from './credentials/recipient.ts';
import { reissueCredential } from './credentials/reissue-credential.ts';
import type { Vault } from './credentials/vault.ts';
import { closeGrant } from './grants/close-grant.ts';
import type { Cost } from './grants/cost.ts';
import { findGrant } from './grants/find-grant.ts';
import type { Grant } from './grants/grant.ts';
import { listGrants, listMyGrants } from './grants/list-grants.ts';
import { moneyToProto } from './grants/money.ts';
import { revokeGrant } from './grants/revoke-grant.ts';
import { cancelJob } from './jobs/cancel-job.ts';
import { findJob } from './jobs/find-job.ts';
import { hearAnswer } from './jobs/hear-answer.ts';
import type { Job } from './jobs/job.ts';
import { listJobs } from './jobs/list-jobs.ts';
import { retryJob } from './jobs/retry-job.ts';
import type { JobWatch } from './jobs/watch-jobs.ts';
import type { PlanDesk } from './plans/plan-desk.ts';
import { readPlan } from './plans/read-plan.ts';
import { getDrift } from './reconcile/get-drift.ts';
import { reconcileResource } from './reconcile/reconcile-resource.ts';
import type { Reconciliation } from './reconcile/reconciliation.ts';
import { findReport } from './reports/find-report.ts';
import { listReports } from './reports/list-reports.ts';
import { readReport } from './reports/read-report.ts';
import type { Report } from './reports/report.ts';
import { requestReport } from './reports/request-report.ts';

const time = (date: Date | null | undefined) => (date ? timestampFromDate(date) : undefined);

const dateOf = (timestamp: Timestamp | undefined) => (timestamp ? timestampDate(timestamp) : null);

const jobProto = (job: Job) => ({
  id: job.id,
  requestId: job.requestId ?? '',
  grantId: job.grantId ?? '',
  kind: job.kind,
  queue: job.queue,
  status: job.status,
  // Attempts beyond the last only clear up.
  attempts: Math.min(job.attempts, job.maxAttempts ?? job.attempts),
  /** 0: no limit. */
  maxAttempts: job.maxAttempts ?? 0,
  lastError: job.lastError ?? '',
  createdAt: time(job.createdAt),
  startedAt: time(job.startedAt),
  finishedAt: time(job.finishedAt),
  steps: job.steps.map(({ startedAt, finishedAt, message, ...step }) => ({
    ...step,
    startedAt: time(new Date(startedAt)),
    finishedAt: time(finishedAt === null ? null : new Date(finishedAt)),
    message: message ?? '',
  })),
});

const costProto = (cost: Cost | null) => cost && { amount: BigInt(cost.amount), pricePerHour: moneyToProto(cost.pricePerHour) };

const grantProto = (grant: Grant, now: Date) => ({
  id: grant.id,
  requestId: grant.requestId,
  holderId: grant.holderId,
  resourceId: grant.resourceId,
  role: grant.role,
  status: grant.status,
  activatedAt: time(grant.activatedAt),
  expiresAt: time(grant.expiresAt),
  endedAt: time(grant.endedAt),
  version: grant.version,
  cost: costProto(grant.cost(now)) ?? undefined,
});

const driftProto = (run: Reconciliation) => ({
  id: run.id,
  resourceId: run.resourceId,
  status: run.status,
  createdAt: time(run.createdAt),
  startedAt: time(run.startedAt),
  finishedAt: time(run.finishedAt),
  missing: run.missing,
  surplus: run.surplus,
  foreign: run.others,
  error: run.error ?? '',
});

const reportProto = (report: Report) => ({
  id: report.id,
  jobId: report.jobId,
  kind: report.kind,
  format: report.format,
  status: report.status,
  since: time(report.since),
  until: time(report.until),
  requestedBy: report.requestedBy,
  rows: report.rows ?? 0,
  bytes: BigInt(report.bytes ?? 0),
  createdAt: time(report.createdAt),
  finishedAt: time(report.finishedAt),
  expiresAt: time(report.expiresAt),
});

/** What calls are answered with. */
export interface RpcParts {
  vault: Vault;
  connectors: Connectors;
  desk: PlanDesk;
  watch: JobWatch;
  store: FileStore;
}

/** The gRPC side of the provisioner. */
export const provisionerHandlers = ({ vault, connectors, desk, watch, store }: RpcParts): Handlers<typeof ProvisionerService, Call> => ({
  getJob: query(async (ctx, { id }) => jobProto(await findJob(ctx, id, 'read'))),
  listJobs: query(async (ctx, { query: asked }) => {
    const { items, next } = await listJobs(ctx, asked);
    return { items: items.map(jobProto), page: { next } };
  }),
  retryJob: command(async (ctx, { id }) => jobProto(await retryJob(ctx, id))),
  cancelJob: command(async (ctx, { id }) => jobProto(await cancelJob(ctx, id))),
  getGrant: query(async (ctx, { id }) => grantProto(await findGrant(ctx, id, 'read'), ctx.now())),
  listGrants: query(async (ctx, { query: asked }) => {
    const { items, next } = await listGrants(ctx, asked);
    return { items: items.map((grant) => grantProto(grant, ctx.now())), page: { next } };
  }),
  listMyGrants: query(async (ctx, { query: asked }) => {
    const { items, next } = await listMyGrants(ctx, asked);
    return { items: items.map((grant) => grantProto(grant, ctx.now())), page: { next } };
  }),
  revokeGrant: command(async (ctx, { id }) => grantProto(await revokeGrant(ctx, id), ctx.now())),
  closeGrant: command(async (ctx, { id, reason }) => grantProto(await closeGrant(ctx, id, reason), ctx.now())),
  // Not once per Idempotency-Key: the reply, which would be kept, is the secret.
  readCredential: async (call, { grantId, publicKeyJson }) => {
    const recipient = publicKeyJson ? await recipientOf(JSON.parse(publicKeyJson)) : undefined;
    // Encrypted before it counts as read.
    return readCredential(call, vault, grantId, async (credentialJson) =>
      recipient ? { jwe: await recipient.encrypt(credentialJson) } : { credentialJson },
    );
  },
  reissueCredential: command(async (ctx, { grantId }) => jobProto(await reissueCredential(ctx, grantId))),
  // Reaches out, so in no transaction; it changes nothing, so an Idempotency-Key has no effect on it.
  checkConnection: async (call, trial) => ({ problems: await checkConnection(call, connectors, trial) }),
  reconcileResource: command(async (ctx, { resourceId }) => driftProto(await reconcileResource(ctx, resourceId))),
  getDrift: query(async (ctx, { resourceId }) => {
    const latest = await getDrift(ctx, resourceId);
    return latest ? driftProto(latest) : { resourceId, status: 'NEVER' };
  }),
  hearAnswer: async (call, { key, payload, headers }) => {
    await call.authorize('job', 'answer', {});
    return { outcome: await hearAnswer(call, connectors, vault, key, { payload, headers }) };
  },
  // May reach out, so not in its transaction.
  getPlan: async (call, { requestId }) => {
    const { preparedAt, ...plan } = await readPlan(call, desk, requestId);
    return { ...plan, requestId, preparedAt: time(preparedAt), error: plan.error ?? '' };
  },
  watchJob: async function* (call, { id }) {
    for await (const job of watch.follow(call, id)) yield jobProto(job);
  },
  requestReport: command(async (ctx, { kind, format, since, until }) =>
    reportProto(await requestReport(ctx, { kind, format, since: dateOf(since), until: dateOf(until) })),
  ),
  getReport: query(async (ctx, { id }) => reportProto(await findReport(ctx, id))),
  listReports: query(async (ctx, { query: asked }) => {
    const { items, next } = await listReports(ctx, asked);
    return { items: items.map(reportProto), page: { next } };
  }),
  readReport: async function* (call, { id }) {
    for await (const piece of readReport(call, store, id)) yield { piece };
  },
});
