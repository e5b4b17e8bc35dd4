import { createMinter, processPrincipal } from '@accessops/authn';
import { connect, type Metadata } from '@accessops/grpc';
import { type AccessRequest, RequestsService } from '@accessops/proto/accessops/requests/v1/requests_pb';
import { type Call, metadataFrom } from '@accessops/service';
import type { ApprovalsConfig } from './config.ts';

/** `requests`, which has the last word on the state of a request; asked under this service's own name, within the caller's tenant. */
export interface Arbiter {
  /** The request as it is now. Errors: REQUEST_NOT_FOUND, DEPENDENCY_UNAVAILABLE. */
  find(call: Call, requestId: string): Promise<AccessRequest>;
  /** Hands in an outcome, any number of times; answers the request as it is after that. Errors: the same. */
  settle(call: Call, requestId: string, outcome: 'APPROVED' | 'REJECTED'): Promise<AccessRequest>;
  close(): void;
}

// Tokens are good for 60 s.
const tokenLifetimeMs = 30_000;
const maxTokens = 1000;
/** At least: it gets the time that others have to answer a question on which a call waits, when that is more. */
const leastDeadlineMs = 5000;

/** Connects to `requests`; calls carry the origin of the call that they are made for. */
export const createArbiter = async ({
  requestsAddress,
  principalKey,
  tls,
  decisionTimeoutMs,
}: Pick<ApprovalsConfig, 'requestsAddress' | 'principalKey' | 'tls' | 'decisionTimeoutMs'>): Promise<Arbiter> => {
  const minter = await createMinter(principalKey);
  const client = connect(RequestsService, requestsAddress, { tls });
  const deadlineMs = Math.max(leastDeadlineMs, decisionTimeoutMs);
  const tokens = new Map<string, { token: Promise<string>; until: number }>();

  const tokenFor = (tenantId: string): Promise<string> => {
    const known = tokens.get(tenantId);
    if (known && known.until > Date.now()) return known.token;
    if (tokens.size >= maxTokens) tokens.clear();
    const token = minter.mint(processPrincipal('service', 'approvals', tenantId));
    tokens.set(tenantId, { token, until: Date.now() + tokenLifetimeMs });
    return token;
  };

  const metadataFor = async ({ tenantId, origin }: Call): Promise<Metadata> => metadataFrom(await tokenFor(tenantId), origin);

  return {
    find: async (call, id) =>
      client.getRequest({ id }, { metadata: await metadataFor(call), deadlineMs, signal: call.signal, tracer: call.tracer }),
    settle: async (call, id, outcome) => {
      const { id: deciderId, type, email } = call.principal;
      const decider = { id: deciderId, type, email };
      return client.settleRequest({ id, outcome, decider }, { metadata: await metadataFor(call), deadlineMs, tracer: call.tracer });
    },
    close: () => client.close(),
  };
};
