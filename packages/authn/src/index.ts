export * from './access-token.ts';
export * from './api-key.ts';
export * from './key-source.ts';
export * from './principal.ts';
export * from './principal-token.ts';
export * from './session-id.ts';
