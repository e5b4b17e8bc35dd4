import { PassThrough } from 'node:stream';
import { AppError, type Code, codes, invalidField } from '@accessops/errors';
import { AuditService } from '@accessops/proto/accessops/audit/v1/audit_pb';
import { createLogger } from '@accessops/telemetry';
import { Client, credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { afterEach, describe, expect, test } from 'vitest';
import { createServer, type Handlers, serve } from '../src/index.ts';
import { type Suite, startSuite } from './suite.ts';

let suite: Suite | undefined;
afterEach(async () => {
  await suite?.close();
  suite = undefined;
});

const failingWith = async (error: Error, translate?: (error: unknown) => AppError | undefined) => {
  suite = await startSuite({ verifyAuditChain: () => Promise.reject(error) }, translate ? { translate } : {});
  return suite;
};
const unavailable = (cause: unknown) => new AppError('DEPENDENCY_UNAVAILABLE', undefined, { cause });
const caught = (work: Promise<unknown>) =>
  work.then(
    () => expect.unreachable(),
    (error: AppError) => error,
  );

/** All that the server says of a failure, as any gRPC client sees it. */
const onTheWire = (address: string) =>
  new Promise<ServiceError>((resolve) => {
    const client = new Client(address, credentials.createInsecure());
    const done = (error: ServiceError | null) => {
      client.close();
      resolve(error as ServiceError);
    };
    client.makeUnaryRequest(
      '/accessops.audit.v1.AuditService/VerifyAuditChain',
      () => Buffer.alloc(0),
      (bytes: Buffer) => bytes,
      {},
      new Metadata(),
      {},
      done,
    );
  });

describe('an AppError', () => {
  test('when a handler throws it, then the caller gets the same, with its fields and members', async () => {
    const thrown = new AppError('INVALID_FIELDS', 'Zwei Felder “falsch” 100 %', {
      fields: [
        { pointer: '/duration', message: 'must be positive' },
        { pointer: '/items/0/rôle', message: 'unknown' },
      ],
      members: { freeSlots: [{ startsAt: '2026-11-21T10:00:00Z' }], status: 'CANCELLED', none: null, many: 3 },
      cause: new Error('password=s3cr3t'),
    });
    const { client } = await failingWith(thrown);
    const error = await caught(client.verifyAuditChain({}));
    expect(error).toBeInstanceOf(AppError);
    expect(error).toMatchObject({
      code: thrown.code,
      message: thrown.message,
      fields: thrown.fields,
      members: thrown.members,
      httpStatus: 422,
    });
    expect(JSON.stringify(await onTheWire(suite?.address ?? ''))).not.toContain('s3cr3t');
  });

  test('when any code of the table is thrown, then it arrives as that code', async () => {
    let code: Code = 'INTERNAL_ERROR';
    suite = await startSuite({ verifyAuditChain: () => Promise.reject(new AppError(code)) });
    for (code of Object.keys(codes) as Code[]) {
      expect(await caught(suite.client.verifyAuditChain({}))).toMatchObject({ code, message: codes[code].meaning });
    }
  });

  test('when the context refuses the call, then the handler is not asked', async () => {
    const server = createServer();
    const refuse = () => {
      throw invalidField('/token', 'is missing');
    };
    const never = () => expect.unreachable();
    const handlers = { listAuditEvents: never, listAllAuditEvents: never, exportAuditEvents: never, verifyAuditChain: never };
    serve(server, AuditService, refuse, handlers as unknown as Handlers<typeof AuditService, never>, {
      log: createLogger('test', 'silent'),
    });
    const { listen, connect } = await import('../src/index.ts');
    const running = await listen(server, '127.0.0.1:0');
    const client = connect(AuditService, running.address);
    expect(await caught(client.verifyAuditChain({}))).toMatchObject({ code: 'INVALID_FIELDS' });
    expect(await caught(client.exportAuditEvents({})[Symbol.asyncIterator]().next())).toMatchObject({ code: 'INVALID_FIELDS' });
    client.close();
    await running.close(0);
  });

  test('when its message is not well-formed or very long, then it arrives all the same', async () => {
    const { client } = await failingWith(new AppError('INVALID_PARAMETER', `\ud800${'ü'.repeat(3000)}`));
    expect(await caught(client.verifyAuditChain({}))).toMatchObject({ code: 'INVALID_PARAMETER', message: `\ufffd${'ü'.repeat(3000)}` });
  });
});

describe('anything else', () => {
  // A library may reject with anything, whatever its types say.
  test.each<[string, Error | string | undefined]>([
    ['an Error', new TypeError('cannot read s3cr3t of undefined')],
    ['text', 's3cr3t'],
    ['nothing', undefined],
    ['something like a gRPC error', Object.assign(new Error('s3cr3t'), { code: 7, details: 's3cr3t', metadata: new Metadata() })],
    ['something like an AppError', Object.assign(new Error('s3cr3t'), { name: 'AppError', grpcStatus: 5 })],
  ])('when a handler throws %s, then it answers INTERNAL without its message, and the log has it', async (_, thrown) => {
    const { client, address, logged } = await failingWith(thrown as Error);
    const wire = await onTheWire(address);
    expect(wire.code).toBe(status.INTERNAL);
    expect(`${wire.message} ${wire.details} ${JSON.stringify(wire.metadata.toHttp2Headers())}`).not.toContain('s3cr3t');
    for (const value of wire.metadata.get('grpc-status-details-bin')) expect(value.toString()).not.toContain('s3cr3t');
    expect(await caught(client.verifyAuditChain({}))).toMatchObject({ code: 'INTERNAL_ERROR', message: codes.INTERNAL_ERROR.meaning });
    expect(logged.some((line) => line.includes('call failed unexpectedly') && line.includes('VerifyAuditChain'))).toBe(true);
    expect(logged.join().includes('s3cr3t')).toBe(thrown !== undefined);
  });

  test('when a handler throws before it promises anything, then it answers INTERNAL too', async () => {
    suite = await startSuite({
      verifyAuditChain: () => {
        throw new Error('s3cr3t');
      },
      exportAuditEvents: () => {
        throw new Error('s3cr3t');
      },
    });
    expect(await caught(suite.client.verifyAuditChain({}))).toMatchObject({ code: 'INTERNAL_ERROR' });
    expect(await caught(suite.client.exportAuditEvents({})[Symbol.asyncIterator]().next())).toMatchObject({ code: 'INTERNAL_ERROR' });
  });

  test('when a handler answers what the contract cannot carry, then the call fails and the server serves on', async () => {
    let events: unknown = 'many';
    suite = await startSuite({ verifyAuditChain: async () => ({ ok: true, events: events as bigint }) });
    const error = await caught(suite.client.verifyAuditChain({}));
    expect(error).toMatchObject({ code: 'INTERNAL_ERROR', message: codes.INTERNAL_ERROR.meaning });
    events = 3n;
    expect(await suite.client.verifyAuditChain({})).toMatchObject({ ok: true, events: 3n });
  });

  test('when the error of a library is recognized, then it is translated', async () => {
    const { client, logged } = await failingWith(new Error('connect ECONNREFUSED'), unavailable);
    expect(await caught(client.verifyAuditChain({}))).toMatchObject({ code: 'DEPENDENCY_UNAVAILABLE' });
    expect(logged.join()).toContain('ECONNREFUSED');
  });

  test('when nobody has foreseen it, then it is reported with the call it is about; an outage is not', async () => {
    const reported: [error: unknown, about: Record<string, unknown>][] = [];
    const log = createLogger('test', 'info', new PassThrough().resume(), (error, about) => reported.push([error, about]));
    let error = new Error('connect ECONNREFUSED');
    const translate = (thrown: unknown) => ((thrown as Error).message.includes('ECONN') ? unavailable(thrown) : undefined);
    suite = await startSuite({ verifyAuditChain: () => Promise.reject(error) }, { log, translate });
    const metadata = new Metadata();
    metadata.set('x-request-id', 'call-1');
    metadata.set('traceparent', '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00');
    await caught(suite.client.verifyAuditChain({}, { metadata }));
    error = new TypeError('undefined is not a function');
    await caught(suite.client.verifyAuditChain({}, { metadata }));
    const about = { rpc: 'VerifyAuditChain', request_id: 'call-1', trace_id: '0af7651916cd43dd8448eb211c80319c' };
    expect(reported).toMatchObject([[error, about]]);
  });
});

test('when a method has no handler, then the server refuses to start', () => {
  const handlers = { listAuditEvents: () => expect.unreachable() } as unknown as Handlers<typeof AuditService, unknown>;
  const start = () => serve(createServer(), AuditService, () => undefined, handlers, { log: createLogger('test', 'silent') });
  expect(start).toThrow('accessops.audit.v1.AuditService.ListAllAuditEvents has no handler');
});
