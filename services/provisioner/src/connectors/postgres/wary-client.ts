import { EventEmitter } from 'node:events';
import type { Duplex } from 'node:stream';
import pg from 'pg';
import { nonsense } from '../../connector.ts';

const headerBytes = 5;
// We ask for a few rows, and each is a message of its own.
const longestMessage = 1_000_000;
const [errorCode, noticeCode] = ['E', 'N'].map((code) => code.charCodeAt(0));

/** How much of this are whole messages, as they are framed in PostgreSQL's protocol; throws for what no server of it says. */
const wholeMessages = (said: Buffer): number => {
  let end = 0;
  while (said.length - end >= headerBytes) {
    const length = said.readUInt32BE(end + 1);
    if (length < 4 || length > longestMessage) throw nonsense('The database');
    const next = end + 1 + length;
    if (next > said.length) break;
    const code = said[end];
    // The library would look for the end of these without end.
    if ((code === errorCode || code === noticeCode) && (said[next - 1] !== 0 || (length > 5 && said[next - 2] !== 0))) {
      throw nonsense('The database');
    }
    end = next;
  }
  return end;
};

/**
 * A client that survives whatever a server says. The library parses it in a listener of the socket, where an exception would end the process: here
 * it ends the connection, and whoever uses that is told.
 */
export class WaryClient extends pg.Client {
  constructor(config?: pg.ClientConfig) {
    super(config);
    const connection = this.connection as pg.Connection & { attachListeners(stream: EventEmitter): void };
    const attach = connection.attachListeners.bind(connection);
    connection.attachListeners = (stream: Duplex) => {
      const parsed = new EventEmitter();
      let said = Buffer.alloc(0);
      attach(parsed);
      stream.on('end', () => parsed.emit('end'));
      stream.on('data', (data: Buffer) => {
        try {
          said = Buffer.concat([said, data]);
          const whole = wholeMessages(said);
          parsed.emit('data', said.subarray(0, whole));
          said = said.subarray(whole);
        } catch (error) {
          stream.destroy(nonsense('The database', error));
        }
      });
    };
  }
}
