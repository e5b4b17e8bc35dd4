export * from './authenticator.ts';
export * from './database.ts';
export * from './infrastructure.ts';
export * from './namespace.ts';
export * from './own-redis.ts';
export * from './principal.ts';
export * from './service-environment.ts';
export * from './until.ts';
