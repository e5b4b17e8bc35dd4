export * from './certificate-metric.ts';
export * from './database-address.ts';
export * from './tls-config.ts';
export * from './tls-identity.ts';
