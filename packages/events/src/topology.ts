/** The services that publish and consume events. */
export const services = ['identity', 'requests', 'approvals', 'provisioner', 'audit'] as const;

export type Service = (typeof services)[number];

/** Who listens to whom. */
export const subscriptions: Readonly<Record<Service, readonly Service[]>> = {
  identity: ['provisioner'],
  requests: ['identity', 'approvals', 'provisioner'],
  approvals: ['identity', 'requests'],
  provisioner: ['identity', 'requests'],
  audit: ['identity', 'requests', 'approvals', 'provisioner', 'audit'],
};

/** What every service tells: it can handle its dead letters again. */
const ofAll = ['DeadLetterReplayed'];

/** What a service tells, by the names of the messages; each is told by one service alone, other than what every service tells. */
export const tells: Readonly<Record<Service, readonly string[]>> = {
  identity: [
    'UserCreated',
    'UserUpdated',
    'MembershipChanged',
    'TeamMembershipChanged',
    'TeamChanged',
    'TeamDeleted',
    'TenantCreated',
    'TenantUpdated',
    'SessionStarted',
    'SessionEnded',
    'SessionSteppedUp',
    'MfaChanged',
    'MfaFailed',
    'AccountChanged',
    'LoginFailed',
    'InvitationChanged',
    'SettingChanged',
    'FeatureFlagChanged',
    'LicenseChanged',
    'RoleChanged',
    'ServiceAccountChanged',
    'ServiceAccountDeleted',
    'ApiKeyChanged',
    'SupportRead',
    ...ofAll,
  ],
  requests: [
    'ResourceTypeChanged',
    'ResourceChanged',
    'RequestSubmitted',
    'RequestApproved',
    'RequestClosed',
    'RequestProgressed',
    'RequestWithdrawn',
    ...ofAll,
  ],
  approvals: ['DecisionRecorded', 'ApprovalDecided', ...ofAll],
  provisioner: [
    'JobQueued',
    'JobProgressed',
    'JobFailed',
    'JobRetried',
    'GrantActivated',
    'GrantRevocationChanged',
    'JobCancelled',
    'GrantEnded',
    'CredentialRead',
    'GrantReapplied',
    'ReconciliationRequested',
    'DriftFound',
    'ReportChanged',
    'CredentialReissued',
    'GrantExtended',
    'TenantProvisioned',
    ...ofAll,
  ],
  audit: [...ofAll],
};

/** Services, and what each of them tells. */
export type Tellers = Readonly<Record<string, readonly string[]>>;

/** Whom a service listens to. */
export const tellersTo = (service: Service): Tellers =>
  Object.fromEntries(subscriptions[service].map((producer) => [producer, tells[producer]]));

/** In place of the type of an event: all of them. */
export const everyType = '>';

/** The stream that holds a service's events. */
export const streamOf = (namespace: string, producer: string): string => `${namespace}_${producer}`.toUpperCase();

/** The subject of one event type, or of all of a service's events. */
export const subjectOf = (namespace: string, producer: string, type = everyType): string => `${namespace}.${producer}.${type}`;

/** Who told a message, and of what: the server lets each login publish subjects of its own only. */
export const toldOn = (subject: string): { producer: string; type: string } => {
  const [, producer = '', ...type] = subject.split('.');
  return { producer, type: type.join('.') };
};

/** What is told of the policies: that others are in force, and remembered decisions worth nothing. Nobody keeps it. */
export const policiesOf = (namespace: string): string => subjectOf(namespace, 'policies');

/** Replies to one user's requests come here, so that no user can listen to another's. */
export const inboxPrefixOf = (user: string): string => `_INBOX_${user}`;

/** What a NATS user may do; the shape of the server's `permissions`. */
export interface Permissions {
  publish: string[];
  subscribe: string[];
}

/** Exactly what a service needs: its own stream, and one consumer of its own on each stream it listens to. */
export const permissionsOf = (namespace: string, service: Service): Permissions => {
  const own = streamOf(namespace, service);
  return {
    publish: [
      subjectOf(namespace, service),
      // Not UPDATE: nothing needs it, and it would make a stream that stands republish.
      ...['CREATE', 'DELETE', 'INFO', 'MSG.GET'].map((verb) => `$JS.API.STREAM.${verb}.${own}`),
      `$JS.API.CONSUMER.LIST.${own}`,
      ...subscriptions[service].flatMap((producer) => {
        const stream = streamOf(namespace, producer);
        return [
          `$JS.API.STREAM.INFO.${stream}`,
          `$JS.API.CONSUMER.DURABLE.CREATE.${stream}.${service}`,
          `$JS.API.CONSUMER.INFO.${stream}.${service}`,
          `$JS.API.CONSUMER.MSG.NEXT.${stream}.${service}`,
          `$JS.ACK.${stream}.${service}.>`,
        ];
      }),
    ],
    subscribe: [policiesOf(namespace), `${inboxPrefixOf(service)}.>`],
  };
};

/** The gateway only listens, to drop what it remembers. */
export const gatewayPermissions = (namespace: string): Permissions => ({
  publish: [],
  subscribe: [subjectOf(namespace, 'identity'), policiesOf(namespace), `${inboxPrefixOf('gateway')}.>`],
});
