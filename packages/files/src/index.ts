export * from './file-key.ts';
export * from './file-store.ts';
export * from './file-store-config.ts';
