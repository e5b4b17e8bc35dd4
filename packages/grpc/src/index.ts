export { Metadata } from '@grpc/grpc-js';
export * from './client.ts';
export * from './server.ts';
