import { expect, test } from 'vitest';
import { targetOf } from './queue.ts';

test('when a connector has logins, then each login is a target of its own', () => {
  expect(targetOf({ connector: 'postgres', config: { login: 'prod' } })).toBe('postgres prod');
  expect(targetOf({ connector: 's3', config: { login: 'prod' } })).toBe('s3 prod');
});

test('when a target is simulated, then it is one only if it has been named', () => {
  expect(targetOf({ connector: 'simulated', config: { target: 'slow' } })).toBe('simulated slow');
  expect(targetOf({ connector: 'simulated', config: {} })).toBeNull();
  expect(targetOf({ connector: 'simulated', config: { login: 7 } })).toBeNull();
});
