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

/** In place of the type of an event: all of them. */
export const everyType = '>';

/** The stream that holds a service's events. */
export const streamOf = (namespace: string, producer: string): string => `${namespace}_${producer}`.toUpperCase();

/** The subject of one event type, or of all of a service's events. */
export const subjectOf = (namespace: string, producer: string, type = everyType): string => `${namespace}.${producer}.${type}`;

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
      ...['CREATE', 'UPDATE', 'DELETE', 'INFO', 'MSG.GET'].map((verb) => `$JS.API.STREAM.${verb}.${own}`),
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
