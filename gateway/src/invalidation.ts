import { setTimeout as delay } from 'node:timers/promises';
import { type Authorizer, onPolicyNews } from '@accessops/authz';
import {
  ApiKeyChangedSchema,
  FeatureFlagChangedSchema,
  LicenseChangedSchema,
  MembershipChangedSchema,
  MfaChangedSchema,
  RoleChangedSchema,
  ServiceAccountChangedSchema,
  ServiceAccountDeletedSchema,
  SessionEndedSchema,
  SettingChangedSchema,
  TeamDeletedSchema,
  TeamMembershipChangedSchema,
  TenantUpdatedSchema,
  UserCreatedSchema,
  type UserSnapshot,
  UserUpdatedSchema,
} from '@accessops/proto/accessops/events/v1/events_pb';
import type { Logger } from '@accessops/telemetry';
import { natsTls, type TlsIdentity } from '@accessops/tls';
import { fromBinary } from '@bufbuild/protobuf';
import { connect, type Msg, type NatsConnection } from 'nats';
import type { Principals } from './principals.ts';

/** Drops principals when identity tells that they have changed. */
export interface Invalidation {
  /** Whether all that was told until a moment ago has come in: a connection can stand while its server does not answer. */
  isUp(): boolean;
  close(): Promise<void>;
}

export interface InvalidationOptions {
  /** Told of changes of the policies. */
  authorizer: Pick<Authorizer, 'forget' | 'bePatient'>;
  nats: { url: string; user: string; password: string };
  tls: TlsIdentity | undefined;
  namespace: string;
  principals: Principals;
  log: Logger;
}

type Drop = (principals: Principals, payload: Uint8Array) => void;

const dropUsers = (principals: Principals, users: (UserSnapshot | undefined)[]) => {
  for (const user of users) if (user) principals.dropUser(user.id);
};
const everyTenant = '00000000-0000-0000-0000-000000000000';
const nothing: Drop = () => {};

/** What each event of identity makes wrong; an event that is not here may make anything wrong. */
const drops: Record<string, Drop> = {
  SessionStarted: nothing,
  SessionEnded: (principals, payload) => principals.dropSession(fromBinary(SessionEndedSchema, payload).sessionId),
  SessionSteppedUp: nothing,
  MfaFailed: nothing,
  MfaChanged: (principals, payload) => principals.dropUser(fromBinary(MfaChangedSchema, payload).userId),
  UserCreated: (principals, payload) => dropUsers(principals, [fromBinary(UserCreatedSchema, payload).user]),
  UserUpdated: (principals, payload) => dropUsers(principals, [fromBinary(UserUpdatedSchema, payload).user]),
  MembershipChanged: (principals, payload) => dropUsers(principals, [fromBinary(MembershipChangedSchema, payload).user]),
  TeamMembershipChanged: (principals, payload) => dropUsers(principals, [fromBinary(TeamMembershipChangedSchema, payload).user]),
  TeamChanged: nothing,
  TeamDeleted: (principals, payload) => dropUsers(principals, fromBinary(TeamDeletedSchema, payload).users),
  TenantCreated: nothing,
  TenantUpdated: (principals, payload) => principals.dropTenant(fromBinary(TenantUpdatedSchema, payload).tenantId),
  SettingChanged: (principals, payload) => {
    const { tenantId } = fromBinary(SettingChangedSchema, payload);
    if (tenantId === '' || tenantId === everyTenant) principals.dropAll();
    else principals.dropTenant(tenantId);
  },
  FeatureFlagChanged: (principals, payload) => principals.dropTenant(fromBinary(FeatureFlagChangedSchema, payload).tenantId),
  LicenseChanged: (principals, payload) => principals.dropTenant(fromBinary(LicenseChangedSchema, payload).tenantId),
  // Who has the role, identity alone knows.
  RoleChanged: (principals, payload) => principals.dropTenant(fromBinary(RoleChangedSchema, payload).tenantId),
  ServiceAccountChanged: (principals, payload) => principals.dropUser(fromBinary(ServiceAccountChangedSchema, payload).serviceAccountId),
  ServiceAccountDeleted: (principals, payload) => principals.dropUser(fromBinary(ServiceAccountDeletedSchema, payload).serviceAccountId),
  // With its keys an account's custodians change, so all its keys are looked at again.
  ApiKeyChanged: (principals, payload) => principals.dropUser(fromBinary(ApiKeyChangedSchema, payload).serviceAccountId),
  DeadLetterReplayed: nothing,
  AccountChanged: nothing,
  LoginFailed: nothing,
  InvitationChanged: nothing,
  SupportRead: nothing,
};

const connectAgainMs = 500;
const askEveryMs = 250;
// No longer than what is remembered counts without events (app.ts): a change is known by then, whether NATS goes or stands still.
const hearsForMs = 700;

/** Listens to identity's events (core NATS: what is missed while away is made good by forgetting everything afterwards). */
export const startInvalidation = ({ nats, tls, namespace, principals, authorizer, log }: InvalidationOptions): Invalidation => {
  let connection: NatsConnection | undefined;
  /** When the server was asked what it has answered last; everything it was told before has come in. */
  let heardAt = Number.NEGATIVE_INFINITY;
  let hasMissed = true;
  const closed = new AbortController();
  let again: NodeJS.Timeout | undefined;

  const apply = ({ subject, data }: Msg) => {
    const drop = drops[subject.slice(subject.lastIndexOf('.') + 1)];
    try {
      if (drop) drop(principals, data);
      else principals.dropAll();
    } catch (error) {
      log.warn({ err: error, subject }, 'an event could not be read');
      principals.dropAll();
    }
  };
  const forget = () => {
    principals.dropAll();
    authorizer.forget();
  };
  const watch = async (connected: NatsConnection) => {
    for await (const { type } of connected.status()) {
      if (type !== 'disconnect') continue;
      heardAt = Number.NEGATIVE_INFINITY;
      hasMissed = true;
      forget();
    }
  };
  const keepAsking = async (connected: NatsConnection) => {
    while (!closed.signal.aborted) {
      const askedAt = performance.now();
      try {
        await connected.flush();
        // Only from when the server has taken note of the subscriptions is nothing missed.
        if (hasMissed) forget();
        hasMissed = false;
        heardAt = askedAt;
      } catch (error) {
        log.debug({ err: error }, 'NATS has not answered');
      }
      await delay(askEveryMs, undefined, { signal: closed.signal }).catch(() => undefined);
    }
  };
  const open = async () => {
    const connected = await connect({
      servers: nats.url,
      user: nats.user,
      pass: nats.password,
      name: 'gateway',
      inboxPrefix: `_INBOX_${nats.user}`,
      maxReconnectAttempts: -1,
      reconnectTimeWait: 200,
      reconnectJitter: 100,
      pingInterval: 5000,
      maxPingOut: 2,
      ignoreAuthErrorAbort: true,
      ...natsTls(nats.url, tls),
    });
    if (closed.signal.aborted) return connected.close();
    connection = connected;
    connected.subscribe(`${namespace}.identity.>`, {
      callback: (error, message) => (error ? log.warn({ err: error }, 'the subscription to events has failed') : apply(message)),
    });
    connected.subscribe(`${namespace}.policies.>`, { callback: (_, { subject }) => onPolicyNews(authorizer, subject) });
    void watch(connected);
    void keepAsking(connected);
  };
  const start = (attempt: number) => {
    open().catch((error: unknown) => {
      if (closed.signal.aborted) return;
      if (attempt === 1) log.warn({ err: error }, 'no connection to NATS yet');
      again = setTimeout(start, connectAgainMs, attempt + 1);
    });
  };
  start(1);

  return {
    isUp: () => performance.now() - heardAt < hearsForMs,
    close: async () => {
      closed.abort();
      heardAt = Number.NEGATIVE_INFINITY;
      clearTimeout(again);
      await connection?.close();
    },
  };
};
