export * from './certificate-metric.ts';
export * from './database-address.ts';
export * from './nats-tls.ts';
export * from './tls-config.ts';
export * from './tls-identity.ts';
