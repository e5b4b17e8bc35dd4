import { expect, test } from 'vitest';
import { sessionIdOf } from './session-id.ts';

test('when a session id is a UUID, then it stays', () => {
  expect(sessionIdOf('01935d2e-1c3d-7d39-9e96-e8b31c4f04e9')).toBe('01935d2e-1c3d-7d39-9e96-e8b31c4f04e9');
});

test('when a session id is of another kind, then it gives one UUID of version 8, always the same', () => {
  const id = sessionIdOf('4n14Dq3lZ22kU4uefg4IZ6eH');
  expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(sessionIdOf('4n14Dq3lZ22kU4uefg4IZ6eH')).toBe(id);
  expect(sessionIdOf('4n14Dq3lZ22kU4uefg4IZ6eI')).not.toBe(id);
});
