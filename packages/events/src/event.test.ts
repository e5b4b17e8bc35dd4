import { describe, expect, test } from 'vitest';
import { type Event, eventOf, headersOf } from './event.ts';

const id = '01890000-0000-7000-8000-000000000001';
const event = (changed: Partial<Event> = {}): Event => ({
  id,
  type: 'RequestProgressed',
  tenantId: '01890000-0000-7000-8000-000000000002',
  aggregateId: 'r-1',
  occurredAt: new Date('2026-11-21T10:11:12.345Z'),
  origin: {
    requestId: 'call-1',
    ip: '2001:db8::1',
    userAgent: 'curl/8',
    traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
  },
  payload: new Uint8Array([1, 2, 3]),
  ...changed,
});
const read = (headers: Record<string, string>, payload = new Uint8Array([1, 2, 3]), subject = 'ns.requests.RequestProgressed') =>
  eventOf(
    (name) => headers[name] ?? '',
    payload,
    subject,
    () => 'new-id',
  );

describe('headers', () => {
  test('when an event is written to headers and read again, then it is the same', () => {
    expect(read(headersOf('requests', event()))).toEqual(event());
  });

  test.each(['ü “quoted” 日本', 'a\r\nce-tenantid: forged', '100 %', '', 'a b\tc', '\0'])(
    'when its texts are %j, then they come back and no header is broken',
    (text) => {
      const odd = event({ aggregateId: text, origin: { requestId: text, ip: text, userAgent: text, traceparent: '' } });
      const headers = headersOf('requests', odd);
      expect(read(headers)).toEqual(odd);
      for (const value of Object.values(headers)) expect(value).toMatch(/^[\x20-\x7e]*$/);
      expect('traceparent' in headers).toBe(false);
    },
  );
});

describe('a message of somebody else', () => {
  test('when attributes are missing, then what can be known is taken from the subject and the rest stands for nothing', () => {
    expect(read({})).toEqual({
      id: 'new-id',
      type: 'RequestProgressed',
      tenantId: '00000000-0000-0000-0000-000000000000',
      aggregateId: '',
      occurredAt: new Date(0),
      origin: { requestId: '', ip: '', userAgent: '', traceparent: '' },
      payload: new Uint8Array([1, 2, 3]),
    });
  });

  test.each([
    ['ce-id', 'x'],
    ['ce-id', `${id}'; drop table inbox_event --`],
    ['ce-tenantid', 'all'],
    ['ce-time', 'soon'],
    ['ce-subject', '%zz'],
  ])('when %s is %j, then it is read without failing', (name, value) => {
    const found = read({ ...headersOf('requests', event()), [name]: value });
    expect([found.id, found.tenantId, found.aggregateId].every((text) => typeof text === 'string')).toBe(true);
    expect(found.id).toMatch(/^(new-id|[0-9a-f-]{36})$/);
    expect(found.tenantId).toMatch(/^[0-9a-f-]{36}$/);
  });
});
