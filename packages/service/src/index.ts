export * from './call.ts';
export * from './callers.ts';
export * from './config.ts';
export { knownMigrations } from './known-migrations.ts';
export * from './metrics.ts';
export * from './start-service.ts';
