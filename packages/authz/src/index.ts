export * from './authorizer.ts';
export * from './decision.ts';
