import { AppError } from '@accessops/errors';
import type { Handlers } from '@accessops/grpc';
import type { ApiKeySchema, IdentityService } from '@accessops/proto/accessops/identity/v1/identity_pb';
import { type Call, type Ctx, command, query, type ServiceParts } from '@accessops/service';
import type { MessageInitShape } from '@bufbuild/protobuf';
import * as lists from '../lists.ts';
import { may } from '../may.ts';
import { page } from '../page.ts';
import { apiKeyToProto, serviceAccountToProto } from '../to-proto.ts';
import { createApiKey, type NewApiKey, rotateApiKey } from './create-api-key.ts';
import { createServiceAccount } from './create-service-account.ts';
import { deleteServiceAccount } from './delete-service-account.ts';
import { findServiceAccount } from './find-service-account.ts';
import { resolveApiKey } from './resolve-api-key.ts';
import { revokeApiKey } from './revoke-api-key.ts';
import { updateServiceAccount } from './update-service-account.ts';

const serviceAccountPage = page(lists.serviceAccounts, serviceAccountToProto);
const apiKeyPage = page(lists.apiKeys, apiKeyToProto);

type KeyReply = MessageInitShape<typeof ApiKeySchema>;

/**
 * Makes a key once per Idempotency-Key. What is kept of the reply is all but the key itself: a repeated call can only say that it was made.
 * Errors: those of `make`, API_KEY_ALREADY_SHOWN.
 */
const showOnce = async (call: Call, make: (ctx: Ctx) => Promise<NewApiKey>): Promise<KeyReply> => {
  let shown = '';
  const reply: KeyReply = await call.writeOnce<typeof ApiKeySchema>(async (ctx) => {
    const { row, key } = await make(ctx);
    shown = key;
    return apiKeyToProto(row);
  });
  if (!shown) throw new AppError('API_KEY_ALREADY_SHOWN', undefined, { members: { id: reply.id ?? '' } });
  return { ...reply, key: shown };
};

/** The RPCs about service accounts and their keys. */
export const serviceAccountHandlers = ({ authorizer, pool, now }: Pick<ServiceParts, 'authorizer' | 'pool' | 'now'>) =>
  ({
    listServiceAccounts: query(async (ctx, { query: listQuery }) => {
      await may(ctx, 'service_account', 'list');
      return serviceAccountPage(ctx, listQuery);
    }),
    getServiceAccount: query(async (ctx, { id }) => {
      await may(ctx, 'service_account', 'read');
      return serviceAccountToProto(await findServiceAccount(ctx.em, id));
    }),
    createServiceAccount: command(async (ctx, request) => {
      await may(ctx, 'service_account', 'create');
      return serviceAccountToProto(await createServiceAccount(ctx, authorizer, request));
    }),
    updateServiceAccount: command(async (ctx, request) => {
      await may(ctx, 'service_account', 'update');
      return serviceAccountToProto(await updateServiceAccount(ctx, authorizer, request));
    }),
    deleteServiceAccount: command(async (ctx, { id }) => {
      await may(ctx, 'service_account', 'delete');
      await deleteServiceAccount(ctx, id);
      return {};
    }),
    listApiKeys: query(async (ctx, { serviceAccountId, query: listQuery }) => {
      await may(ctx, 'service_account', 'read');
      const account = await findServiceAccount(ctx.em, serviceAccountId);
      return apiKeyPage(ctx, listQuery, { serviceAccountId: account.id });
    }),
    createApiKey: async (call, request) => {
      await may(call, 'service_account', 'create_key');
      return showOnce(call, (ctx) => createApiKey(ctx, authorizer, request));
    },
    rotateApiKey: async (call, request) => {
      await may(call, 'service_account', 'create_key');
      return showOnce(call, (ctx) => rotateApiKey(ctx, authorizer, request));
    },
    revokeApiKey: command(async (ctx, request) => {
      await may(ctx, 'service_account', 'revoke_key');
      await revokeApiKey(ctx, request);
      return {};
    }),
    resolveApiKey: async (call, request) => {
      await call.authorize('principal', 'resolve', {});
      return resolveApiKey(pool, now(), request);
    },
  }) satisfies Partial<Handlers<typeof IdentityService, Call>>;
