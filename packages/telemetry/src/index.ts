export * from './deployment.ts';
export * from './durations.ts';
export * from './logger.ts';
export * from './metrics.ts';
export * from './metrics-page.ts';
export * from './run-process.ts';
export * from './secret-files.ts';
export * from './serve-metrics.ts';
