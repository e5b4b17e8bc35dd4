import { ConnectorError } from '../../connector.ts';
import type { Login } from '../logins.ts';
import type { SshLogin } from './ssh-login.ts';

const longestComplaint = 1000;
const longestAnswer = 4_000_000;

/** Host and port of a login. */
export const addressOf = ({ settings }: Login<SshLogin>): { host: string; port: number } => {
  const { ADDRESS } = settings;
  const at = ADDRESS.lastIndexOf(':');
  return { host: ADDRESS.slice(0, at).replace(/^\[(.*)\]$/, '$1'), port: Number(ADDRESS.slice(at + 1)) };
};

/** What a command that was not carried out tells of it: only what `accessops-ssh` says itself is for people, and means that it has done nothing. */
const complaintOf = (code: number, complaint: string): ConnectorError => {
  const said = /^accessops-ssh: (.{1,200})/m.exec(complaint)?.[1];
  if (said) return new ConnectorError('failed', `The host reports: ${said}`);
  return new ConnectorError('unknown', `The host could not carry out the command (exit ${code})`, complaint);
};

const explain = (login: string, sent: boolean, error: Error & { level?: string }): ConnectorError => {
  if (error instanceof ConnectorError) return error;
  if (sent) return new ConnectorError('unknown', 'The connection was lost before the host had answered', error);
  if (error.level === 'client-authentication')
    return new ConnectorError('refused', `The host does not accept the key of the login "${login}"`, error);
  return new ConnectorError('failed', `The host of the login "${login}" cannot be reached`, error);
};

/**
 * Has `accessops-ssh serve` at the host carry out one command; answers the word that it says. Words of a command are made by us and hold no
 * blanks. Throws a ConnectorError; the connection is cut when `signal` says so.
 */
export const runAtHost = async (login: Login<SshLogin>, words: readonly (string | number)[], signal: AbortSignal): Promise<string> => {
  const [{ Client }, { parseKey }] = [(await import('ssh2')).default, (await import('sshpk')).default];
  const { HOST_KEY, KEY, USER } = login.settings;
  const expected = parseKey(HOST_KEY, 'ssh').toBuffer('rfc4253');
  const client = new Client();
  let sent = false;
  let isHost = true;
  const cut = () => client.destroy();
  try {
    signal.throwIfAborted();
    signal.addEventListener('abort', cut, { once: true });
    return await new Promise<string>((resolve, reject) => {
      client.on('error', reject).on('close', () => reject(new Error('The connection was closed')));
      client.on('ready', () => {
        sent = true;
        client.exec(words.join(' '), (error, channel) => {
          if (error) return reject(error);
          let [said, complaint] = ['', ''];
          channel.on('data', (data: Buffer) => (said = (said + data.toString()).slice(0, longestAnswer)));
          channel.stderr.on('data', (data: Buffer) => (complaint = (complaint + data.toString()).slice(0, longestComplaint)));
          channel.on('close', (code: number | null) => {
            if (code === 0) resolve(said.trim());
            else if (code === null) reject(new Error('The command was broken off'));
            else reject(complaintOf(code, complaint));
          });
        });
      });
      client.connect({
        ...addressOf(login),
        username: USER,
        privateKey: KEY,
        readyTimeout: 8000,
        hostVerifier: (key: Buffer) => (isHost = key.equals(expected)),
      });
    });
  } catch (error) {
    if (!isHost) throw new ConnectorError('refused', `Somebody else answers for the host of the login "${login.name}"`, error);
    throw explain(login.name, sent, error as Error);
  } finally {
    signal.removeEventListener('abort', cut);
    client.destroy();
  }
};
