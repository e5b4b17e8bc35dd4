export * from './authorizer.ts';
export * from './decision.ts';
export * from './decision-metrics.ts';
export * from './look-at-policies.ts';
export * from './on-policy-news.ts';
export * from './permission.ts';
