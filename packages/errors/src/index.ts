export * from './app-error.ts';
export * from './codes.ts';
export * from './kinds.ts';
export * from './pointer.ts';
