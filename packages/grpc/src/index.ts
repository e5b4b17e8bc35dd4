export { Metadata } from '@grpc/grpc-js';
export * from './call-metrics.ts';
export * from './client.ts';
export * from './server.ts';
