import { type CallFunction, callAlone, callWithin } from '@accessops/db';
import type { Handlers } from '@accessops/grpc';
import type { RequestsService } from '@accessops/proto/accessops/requests/v1/requests_pb';
import { type Call, command, query, type ServiceParts } from '@accessops/service';
import type { RequestView } from './access-request/access-request.ts';
import { cancelRequest } from './access-request/cancel-request.ts';
import { extendRequest } from './access-request/extend-request.ts';
import { getRequest } from './access-request/get-request.ts';
import { listMyRequests, listRequests } from './access-request/list-requests.ts';
import { traceOf } from './access-request/request-trace.ts';
import { seenKey } from './access-request/seen-requests.ts';
import { type Settling, settleRequest } from './access-request/settle-request.ts';
import { submitRequest } from './access-request/submit-request.ts';
import { withdrawRequest } from './access-request/withdraw-request.ts';
import { createResource } from './catalog/create-resource.ts';
import { createResourceType } from './catalog/create-resource-type.ts';
import { deleteResource } from './catalog/delete-resource.ts';
import { deleteResourceType } from './catalog/delete-resource-type.ts';
import { getResource } from './catalog/get-resource.ts';
import { getResourceType } from './catalog/get-resource-type.ts';
import { listResourceTypes } from './catalog/list-resource-types.ts';
import { listResources } from './catalog/list-resources.ts';
import { updateResource } from './catalog/update-resource.ts';
import { updateResourceType } from './catalog/update-resource-type.ts';
import { awaitTeam } from './team/require-team.ts';
import { requestToProto, resourceToProto, typeToProto } from './to-proto.ts';

/** The gRPC side of the requests service. */
export const requestsHandlers = (
  { pool, outbox }: ServiceParts,
  { offers, seen }: Omit<Settling, 'database'>,
): Handlers<typeof RequestsService, Call> => {
  const database = callAlone(pool);
  const remember = (tenantId: string, request: RequestView) => {
    seen.set(seenKey(tenantId, request.id), request);
    return requestToProto(request);
  };
  return {
    listResourceTypes: query(async (ctx, request) => {
      const { items, next } = await listResourceTypes(ctx, request.query);
      return { items: items.map(typeToProto), page: { next } };
    }),
    getResourceType: query(async (ctx, { id }) => typeToProto(await getResourceType(ctx, id))),
    createResourceType: command(async (ctx, { parametersSchemaJson, configJson, ...fields }) =>
      typeToProto(await createResourceType(ctx, { ...fields, parametersSchema: parametersSchemaJson, config: configJson })),
    ),
    updateResourceType: command(async (ctx, { id, roles, parametersSchemaJson, configJson, ...fields }) =>
      typeToProto(
        await updateResourceType(ctx, id, {
          ...fields,
          parametersSchema: parametersSchemaJson,
          config: configJson,
          ...(roles.length > 0 && { roles }),
        }),
      ),
    ),
    deleteResourceType: command(async (ctx, { id }) => {
      await deleteResourceType(ctx, id);
      return {};
    }),

    listResources: query(async (ctx, request) => {
      const { items, next } = await listResources(ctx, request.query);
      return { items: items.map(resourceToProto), page: { next } };
    }),
    getResource: query(async (ctx, { id }) => resourceToProto(await getResource(ctx, id))),
    createResource: async (call, request) => {
      await awaitTeam(call, request.owningTeamId);
      return call.writeOnce(async (ctx) => resourceToProto(await createResource(ctx, request)));
    },
    updateResource: async (call, { id, name, owningTeamId }) => {
      if (owningTeamId) await awaitTeam(call, owningTeamId);
      return call.writeOnce(async (ctx) => resourceToProto(await updateResource(ctx, id, { name, owningTeamId })));
    },
    deleteResource: command(async (ctx, { id }) => {
      await deleteResource(ctx, id);
      return {};
    }),

    submitRequest: async (call, { parametersJson, ...fields }) => {
      const submit = async (at: CallFunction) =>
        remember(call.tenantId, await submitRequest(call, at, offers, { ...fields, parameters: parametersJson }));
      const reply = call.onceOnly ? await call.writeOnce(({ em }) => submit(callWithin(em))) : await submit(database);
      outbox.wake();
      return reply;
    },
    getRequest: async (call, { id }) => {
      const request = remember(call.tenantId, await getRequest(call, database, id));
      return { ...request, traceparent: await traceOf(call, database, id) };
    },
    listRequests: query(async (ctx, request) => {
      const { items, next } = await listRequests(ctx, request.query);
      return { items: items.map(requestToProto), page: { next } };
    }),
    listMyRequests: query(async (ctx, request) => {
      const { items, next } = await listMyRequests(ctx, request.query);
      return { items: items.map(requestToProto), page: { next } };
    }),
    cancelRequest: command(async (ctx, { id }) => requestToProto(await cancelRequest(ctx, id))),
    extendRequest: async (call, { id, duration }) => {
      const reply = await call.writeOnce(async (ctx) => remember(call.tenantId, await extendRequest(call, ctx, offers, id, duration)));
      outbox.wake();
      return reply;
    },
    withdrawRequest: command(async (ctx, { id }) => requestToProto(await withdrawRequest(ctx, id))),
    settleRequest: async (call, { id, outcome, decider }) => {
      await call.authorize('access_request', 'settle', { tenantId: call.tenantId });
      const request = await settleRequest(call, { database, offers, seen }, { id, outcome, decider });
      outbox.wake();
      return requestToProto(request);
    },
  };
};
