import type { IncomingMessage } from 'node:http';
import { describe, expect, test } from 'vitest';
import { createExchanges } from './exchange.ts';

const beginExchange = createExchanges({ addressOf: () => '192.0.2.7', headers: { 'x-frame-options': 'DENY' } });

const begin = (headers: Record<string, string>, url = '/x') => beginExchange({ method: 'GET', url, headers } as unknown as IncomingMessage);

const uuidV7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

describe('the beginning of an exchange', () => {
  test('when a good X-Request-Id is sent, then it is kept', () => {
    for (const id of ['bar-core-path-1', 'a', 'A.b:c_d-9', 'x'.repeat(128)]) expect(begin({ 'x-request-id': id }).requestId).toBe(id);
  });

  test.each(['', ' ', 'a b', 'x'.repeat(129), 'a\nb', 'ü', '<script>', 'a;b'])(
    'when X-Request-Id is "%s", then a new UUIDv7 takes its place',
    (id) => {
      expect(begin({ 'x-request-id': id }).requestId).toMatch(uuidV7);
    },
  );

  test('when a trace comes in, then it is handed on', () => {
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    expect(begin({ traceparent })).toMatchObject({ traceparent, traceId: '0af7651916cd43dd8448eb211c80319c' });
  });

  test.each([
    'nonsense',
    '00-00000000000000000000000000000000-b7ad6b7169203331-01',
    '00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01',
    'ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    '00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01',
  ])('when traceparent is %s, then a new trace begins', (traceparent) => {
    const exchange = begin({ traceparent });
    expect(exchange.traceId).toMatch(/^[0-9a-f]{32}$/);
    expect(traceparent.toLowerCase()).not.toContain(exchange.traceId);
    expect(exchange.traceparent).toMatch(new RegExp(`^00-${exchange.traceId}-[0-9a-f]{16}-00$`));
  });

  test('when there is a query, then it is taken apart from the path', () => {
    expect(begin({}, '/a?b=c?d')).toMatchObject({ path: '/a', search: 'b=c?d' });
    expect(begin({}, '/a')).toMatchObject({ path: '/a', search: '' });
  });
});
