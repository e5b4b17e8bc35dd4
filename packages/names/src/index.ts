export * from './parse-name.ts';
export * from './parse-reason.ts';
