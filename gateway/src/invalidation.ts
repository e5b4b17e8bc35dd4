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
  /** Whether events come in at the moment. */
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

/** Listens to identity's events (core NATS: what is missed while away is made good by forgetting everything afterwards). */
export const startInvalidation = ({ nats, tls, namespace, principals, authorizer, log }: InvalidationOptions): Invalidation => {
  let connection: NatsConnection | undefined;
  let up = false;
  let closed = false;
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
  const setUp = (now: boolean) => {
    up = now;
    principals.dropAll();
    authorizer.forget();
  };
  const watch = async (connected: NatsConnection) => {
    for await (const { type } of connected.status()) {
      if (type === 'disconnect') setUp(false);
      if (type === 'reconnect') setUp(true);
    }
    up = false;
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
    if (closed) return connected.close();
    connection = connected;
    connected.subscribe(`${namespace}.identity.>`, {
      callback: (error, message) => (error ? log.warn({ err: error }, 'the subscription to events has failed') : apply(message)),
    });
    connected.subscribe(`${namespace}.policies.>`, { callback: (_, { subject }) => onPolicyNews(authorizer, subject) });
    void watch(connected);
    // Only from when the server has taken note of the subscription is nothing missed.
    return connected.flush().then(
      () => setUp(true),
      () => undefined,
    );
  };
  const start = (attempt: number) => {
    open().catch((error: unknown) => {
      if (closed) return;
      if (attempt === 1) log.warn({ err: error }, 'no connection to NATS yet');
      again = setTimeout(start, connectAgainMs, attempt + 1);
    });
  };
  start(1);

  return {
    isUp: () => up,
    close: async () => {
      closed = true;
      up = false;
      clearTimeout(again);
      await connection?.close();
    },
  };
};
