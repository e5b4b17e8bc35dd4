import type { CoreV1Api, RbacAuthorizationV1Api } from '@kubernetes/client-node';
import { ConnectorError, nonsense } from '../../connector.ts';
import type { Login } from '../logins.ts';
import { untilReplaced } from '../until-replaced.ts';
import type { KubernetesLogin } from './kubernetes-login.ts';

/** The API of a cluster for one call. */
export interface Cluster {
  core: CoreV1Api;
  rbac: RbacAuthorizationV1Api;
}

/** The HTTP status that the API server has answered with; undefined when it has not. */
export const statusOf = (error: unknown): number | undefined => {
  const code = typeof error === 'object' && error !== null ? Reflect.get(error, 'code') : undefined;
  return typeof code === 'number' ? code : undefined;
};

/** Answers undefined instead of what is not there. */
export const unlessMissing = async <T>(asked: Promise<T>): Promise<T | undefined> => {
  try {
    return await asked;
  } catch (error) {
    if (statusOf(error) === 404) return undefined;
    throw error;
  }
};

/** What the API server says in words; it names what was refused. */
export const saidIn = (error: unknown): string => {
  try {
    const body: unknown = Reflect.get(error as object, 'body');
    const status: unknown = typeof body === 'string' ? JSON.parse(body) : body;
    return String((status as { message?: unknown }).message ?? '').slice(0, 300);
  } catch {
    return '';
  }
};

const explain = (login: string, touched: boolean, error: unknown): ConnectorError => {
  if (error instanceof ConnectorError) return error;
  const status = statusOf(error);
  if (status === 401) return new ConnectorError('refused', `The cluster does not accept the token of the login "${login}"`, error);
  if (status === 409 || status === 429 || status === 503) {
    return new ConnectorError('failed', `The cluster cannot do it now (${status})`, error);
  }
  if (status !== undefined && status >= 400 && status < 500) {
    return new ConnectorError('refused', `The cluster refuses: ${saidIn(error)}`, error);
  }
  if (touched) return new ConnectorError('unknown', 'The cluster has not confirmed the change', error);
  return new ConnectorError('failed', `The cluster of the login "${login}" cannot be reached`, error);
};

/** Whether an API server says this: whatever it answers with tells what it is. */
const isObject = (text: string): boolean => {
  try {
    const { apiVersion, kind } = JSON.parse(text) as Record<string, unknown>;
    return typeof apiVersion === 'string' && typeof kind === 'string';
  } catch {
    return false;
  }
};

// In these words something before the API server may answer, or a part of it that is overloaded.
const isPassing = (status: number): boolean => status === 429 || status >= 500;

/** Runs `work` with the API of a cluster; throws a ConnectorError that tells what is known. */
export const withCluster = async <T>(
  { name, settings }: Login<KubernetesLogin>,
  signal: AbortSignal,
  work: (cluster: Cluster) => Promise<T>,
): Promise<T> => {
  // Large, so only where it is used.
  const kubernetes = await import('@kubernetes/client-node');
  const { URL: server, CA, TOKEN } = settings;
  const config = new kubernetes.KubeConfig();
  const cluster = { name, server, skipTLSVerify: false, ...(CA && { caData: Buffer.from(CA).toString('base64') }) };
  config.loadFromClusterAndUser(cluster, { name, token: TOKEN });
  const inTime = untilReplaced(signal);
  let touched = false;
  const configuration = kubernetes.createConfiguration({
    baseServer: new kubernetes.ServerConfiguration(server, {}),
    authMethods: { default: config },
    promiseMiddleware: [
      {
        pre: async (request) => {
          inTime();
          touched ||= request.getHttpMethod() !== kubernetes.HttpMethod.GET;
          request.setSignal(signal);
          return request;
        },
        post: async (response) => {
          const text = await response.body.text();
          if (!isPassing(response.httpStatusCode) && !isObject(text)) throw nonsense('The cluster');
          return new kubernetes.ResponseContext(response.httpStatusCode, response.headers, {
            text: async () => text,
            binary: async () => Buffer.from(text),
            stream: () => null,
          });
        },
      },
    ],
  });
  try {
    return await work({ core: new kubernetes.CoreV1Api(configuration), rbac: new kubernetes.RbacAuthorizationV1Api(configuration) });
  } catch (error) {
    throw explain(name, touched, error);
  }
};
