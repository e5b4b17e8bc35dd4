export { Metadata } from '@grpc/grpc-js';
export * from './call-metrics.ts';
export * from './client.ts';
export type { Entrance } from './credentials.ts';
export * from './server.ts';
