import { type ListDefinition, listPage, noTenant } from '@accessops/db';
import { DeadLetter, type Hearing, type Outbox, replayDeadLetter } from '@accessops/events';
import type { Handlers } from '@accessops/grpc';
import type { OperationsService } from '@accessops/proto/accessops/operations/v1/operations_pb';
import { type Dependency, type Deployment, lookAtAll } from '@accessops/telemetry';
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import type { Call } from './call.ts';

const deadLetters: ListDefinition<DeadLetter> = {
  entity: DeadLetter,
  fields: {
    id: { type: 'uuid' },
    eventId: { type: 'uuid' },
    eventType: { type: 'text' },
    tenantId: { type: 'uuid' },
    status: { type: 'text' },
    parkedAt: { type: 'time' },
    replayedAt: { type: 'time' },
  },
  defaultSort: '-parkedAt',
};

const toProto = (letter: DeadLetter, consumer: string) => ({
  id: letter.id,
  consumer,
  eventId: letter.eventId,
  eventType: letter.eventType,
  tenantId: letter.tenantId,
  error: letter.error,
  attempts: letter.attempts,
  status: letter.status,
  parkedAt: timestampFromDate(letter.parkedAt),
  ...(letter.replayedAt ? { replayedAt: timestampFromDate(letter.replayedAt) } : {}),
});

/** What every service offers its operators: the events it has parked, and what runs. */
/** What runs here, and what it needs. */
export interface Running {
  deployment: Deployment;
  dependencies: readonly Dependency[];
}

export const operationsHandlers = (
  outbox: Outbox,
  hearing: Hearing,
  { deployment, dependencies }: Running,
): Handlers<typeof OperationsService, Call> => ({
  listDeadLetters: async (call, { query }) => {
    await call.authorize('dead_letter', 'list', {});
    return call.read(async ({ em }) => {
      const { items, next } = await listPage(em, deadLetters, query);
      return { items: items.map((letter) => toProto(letter, outbox.service)), page: { next } };
    }, 'all-tenants');
  },
  replayDeadLetter: async (call, { id }) => {
    await call.authorize('dead_letter', 'replay', {});
    const { principal, origin, now, log } = call;
    const by = { tenantId: noTenant, actor: { id: principal.id, type: 'user', email: principal.email }, origin, now };
    return toProto(await replayDeadLetter(outbox, hearing, id, by, log), outbox.service);
  },
  describeDeployment: async (call) => {
    await call.authorize('deployment', 'read', {});
    return { ...deployment, startedAt: timestampFromDate(deployment.startedAt), dependencies: await lookAtAll(dependencies) };
  },
});
