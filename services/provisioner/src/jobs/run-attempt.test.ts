import { expect, test } from 'vitest';
import { ConnectorError } from '../connector.ts';
import { publicText } from './run-attempt.ts';

test('when a connector explains itself, then people read that, cut to a sensible length', () => {
  expect(publicText(new ConnectorError('refused', 'The role does not exist'))).toBe('The role does not exist');
  expect(publicText(new ConnectorError('failed', 'x'.repeat(1000)))).toHaveLength(500);
});

test('when time runs out, then people read so', () => {
  const reason = AbortSignal.abort(new DOMException('…', 'TimeoutError')).reason as Error;
  expect(publicText(reason)).toBe('The target did not answer in time');
});

test('when something unknown is thrown, then its text stays inside', () => {
  expect(publicText(new Error('password=hunter2'))).toBe('The connector failed unexpectedly');
  expect(publicText('password=hunter2')).toBe('The connector failed unexpectedly');
});
