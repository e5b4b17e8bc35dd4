import { Writable } from 'node:stream';
import { AuditService } from '@accessops/proto/accessops/audit/v1/audit_pb';
import { createLogger } from '@accessops/telemetry';
import {
  type CallContext,
  connect,
  createServer,
  type Handlers,
  listen,
  type RunningServer,
  type ServeOptions,
  type ServiceClient,
  serve,
  type WatchCall,
} from '../src/index.ts';

export type TestHandlers = Handlers<typeof AuditService, CallContext>;

const unused = (): never => {
  throw new Error('not part of this test');
};

/** A server of a real contract whose handlers a test chooses, and a client of it. */
export interface Suite {
  address: string;
  server: RunningServer;
  client: ServiceClient<typeof AuditService>;
  /** What was logged, as JSON lines. */
  logged: string[];
  close(): Promise<void>;
}

export const startSuite = async (
  handlers: Partial<TestHandlers>,
  options: Partial<ServeOptions> = {},
  address = '127.0.0.1:0',
  watch?: WatchCall,
  connectionAgeMs?: number,
): Promise<Suite> => {
  const logged: string[] = [];
  const destination = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      logged.push(chunk.toString());
      done();
    },
  });
  const server = createServer({ connectionAgeMs });
  const all: TestHandlers = {
    listAuditEvents: unused,
    listAllAuditEvents: unused,
    exportAuditEvents: unused,
    verifyAuditChain: unused,
    ...handlers,
  };
  serve(server, AuditService, (call: CallContext) => call, all, { log: createLogger('test', 'info', destination), ...options });
  const running = await listen(server, address);
  const client = connect(AuditService, running.address, { watch });
  return {
    address: running.address,
    server: running,
    client,
    logged,
    close: async () => {
      client.close();
      await running.close(0);
    },
  };
};
