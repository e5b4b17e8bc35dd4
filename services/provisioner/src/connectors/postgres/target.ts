import pg from 'pg';
import { explainFailure, type Phase } from './explain-failure.ts';
import { WaryClient } from './wary-client.ts';

/** A database that we have a login for. */
export interface Target {
  login: string;
  /** Where holders of access log in. */
  address: { host: string; port: number; database: string };
  /**
   * Runs `work` in a transaction of its own. Throws a ConnectorError that tells what is known: without a commit nothing has
   * happened. Once `signal` is aborted the connection is cut, so that nothing of this call comes late.
   */
  transaction<T>(signal: AbortSignal, work: (client: pg.ClientBase) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

// Less than the lease of a job: what a lost worker has begun is over when the next one comes.
const serverLimits = {
  statement_timeout: 8000,
  lock_timeout: 4000,
  idle_in_transaction_session_timeout: 5000,
  search_path: 'pg_catalog',
  application_name: 'accessops',
};

/** A target behind the login of this name; connects when it is asked something. */
export const createTarget = (name: string, url: string): Target => {
  const pool = new pg.Pool({
    Client: WaryClient,
    connectionString: url,
    max: 4,
    connectionTimeoutMillis: 4000,
    idleTimeoutMillis: 2000,
    allowExitOnIdle: true,
    options: Object.entries(serverLimits)
      .map(([setting, value]) => `-c ${setting}=${value}`)
      .join(' '),
  });
  // A connection may break at any time; whoever uses it is told by its query.
  pool.on('error', () => undefined);
  pool.on('connect', (client) => client.on('error', () => undefined));
  const { hostname, port, pathname } = new URL(url);

  return {
    login: name,
    address: { host: hostname.replace(/^\[(.*)\]$/, '$1'), port: Number(port || 5432), database: decodeURIComponent(pathname.slice(1)) },

    transaction: async (signal, work) => {
      let phase: Phase = 'connecting';
      let client: pg.PoolClient | undefined;
      const release = (broken: boolean) => {
        const held = client;
        client = undefined;
        held?.release(broken);
      };
      const cut = () => release(true);
      try {
        signal.throwIfAborted();
        const connected = await pool.connect();
        client = connected;
        signal.throwIfAborted();
        signal.addEventListener('abort', cut, { once: true });
        phase = 'working';
        await connected.query('begin');
        const result = await work(connected);
        signal.throwIfAborted();
        phase = 'committing';
        await connected.query('commit');
        release(false);
        return result;
      } catch (error) {
        release(true);
        throw explainFailure(name, phase, error);
      } finally {
        signal.removeEventListener('abort', cut);
      }
    },

    close: () => pool.end(),
  };
};
