import { natsTls, type TlsIdentity } from '@accessops/tls';
import { connect, type JetStreamClient, type JetStreamManager, type NatsConnection, NatsError } from 'nats';
import { inboxPrefixOf, streamOf } from './topology.ts';

export interface BrokerOptions {
  url: string;
  user: string;
  password: string;
  /** Whom to connect as where the address begins with `tls://`. */
  tls?: TlsIdentity;
  /** How many servers hold each stream; default 1. */
  replicas?: number;
  /** How long the server may take to answer; default 5000. */
  timeoutMs?: number;
}

/** A NATS connection with JetStream that reconnects for ever. */
export interface Broker {
  connection: NatsConnection;
  js: JetStreamClient;
  jsm: JetStreamManager;
  /** How many servers hold each stream that is made. */
  replicas: number;
  isUp(): boolean;
  close(): Promise<void>;
}

/** Connects; waits for a server that is not there yet. */
export const connectBroker = async ({ url, user, password, tls, replicas = 1, timeoutMs = 5000 }: BrokerOptions): Promise<Broker> => {
  const connection = await connect({
    servers: url,
    user,
    pass: password,
    name: user,
    inboxPrefix: inboxPrefixOf(user),
    maxReconnectAttempts: -1,
    reconnectTimeWait: 200,
    reconnectJitter: 100,
    ...natsTls(url, tls),
    waitOnFirstConnect: true,
    pingInterval: 5000,
    maxPingOut: 2,
    ignoreAuthErrorAbort: true,
    // A stack trace for every message costs more than sending it.
    noAsyncTraces: true,
  });
  let up = true;
  const watch = async () => {
    for await (const status of connection.status()) {
      if (status.type === 'disconnect') up = false;
      if (status.type === 'reconnect') up = true;
    }
  };
  void watch();
  const js = connection.jetstream({ timeout: timeoutMs });
  const jsm = await connection.jetstreamManager({ checkAPI: false, timeout: timeoutMs });
  return { connection, js, jsm, replicas, isUp: () => up && !connection.isClosed(), close: () => connection.close() };
};

const nobodyAnswers = '503';

/** Whether the server keeps no streams; throws when that cannot be told. */
export const lacksJetStream = async ({ connection, jsm }: Broker, namespace: string, service: string): Promise<boolean> => {
  if (connection.info?.jetstream) return false;
  try {
    await jsm.streams.info(streamOf(namespace, service));
    return false;
  } catch (error) {
    if (isMissing(error)) return false;
    if (error instanceof NatsError && error.code === nobodyAnswers && !error.api_error) return true;
    throw error;
  }
};

/** Whether an API call failed because the stream or consumer is not there. */
export const isMissing = (error: unknown): boolean =>
  error instanceof NatsError && (error.api_error?.code === 404 || /stream not found|consumer not found/.test(error.message));
