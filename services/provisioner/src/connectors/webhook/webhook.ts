import { webhookConfig } from '@accessops/connectors';
import { AppError } from '@accessops/errors';
import { ForbiddenAddress, NotSent, post } from '@accessops/outbound';
import { Webhook } from 'standardwebhooks';
import { z } from 'zod';
import { type Access, type Connector, ConnectorError } from '../../connector.ts';
import { type Login, type Logins, listBy, loginFor, loginOfGiven, tryLogin } from '../logins.ts';
import { readConfig } from '../read-config.ts';
import { message, readAnswer } from './read-answer.ts';
import type { WebhookLogin } from './webhook-login.ts';

type Operation = 'apply' | 'extend' | 'verify' | 'revoke' | 'check' | 'list';

const credential = z.record(z.string(), z.unknown());
const applied = z.object({ credential });
const extended = z.object({ credential: credential.optional() });
const presence = z.object({ present: z.boolean() });
const anything = z.object({});
const listed = z.object({
  items: z.array(z.object({ key: z.guid().nullable(), name: z.string().max(200), kind: z.string().max(50).default('access') })),
});
// How endpoints answer to what they do not know.
const unknown = new Set([400, 404, 405, 422, 501]);
const told = z.object({
  type: z.literal('access.answered'),
  data: z.object({
    key: z.string(),
    attempt: z.int(),
    outcome: z.enum(['done', 'refused', 'failed']),
    credential: credential.optional(),
    message: message.optional(),
  }),
});

/** What an endpoint hands over. */
interface Given {
  credential?: Record<string, unknown>;
}

const factsOf = (access: Access) => ({
  key: access.key,
  attempt: access.fence,
  tenantId: access.tenantId,
  tenant: access.tenantSlug,
  holderId: access.holderId,
  resource: access.resourceKey,
  role: access.role,
  durationSeconds: Math.ceil(access.durationMs / 1000),
  parameters: access.parameters,
});

/** What people may read of a request that was not answered; what cannot have arrived has changed nothing. */
const explain = (error: unknown): ConnectorError => {
  if (!(error instanceof NotSent)) return new ConnectorError('unknown', 'The endpoint has not answered', error);
  if (error.cause instanceof ForbiddenAddress) return new ConnectorError('refused', 'The address may not be called', error);
  return new ConnectorError('failed', 'The endpoint cannot be reached', error);
};

const send = async (
  login: Login<WebhookLogin>,
  url: string,
  operation: Operation,
  id: string,
  data: object,
  signal: AbortSignal,
  now = new Date(),
) => {
  const { SECRET, NETWORKS } = login.settings;
  const body = JSON.stringify({ type: `access.${operation}`, timestamp: now.toISOString(), data });
  const headers = {
    'content-type': 'application/json',
    'user-agent': 'AccessOps',
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(now.getTime() / 1000)),
    'webhook-signature': new Webhook(SECRET).sign(id, now, body),
  };
  return post(new URL(url), { headers, body, signal, networks: NETWORKS }).catch((error: unknown) => {
    throw explain(error);
  });
};

/**
 * Has an endpoint of somebody's own give access and take it away. Requests and later answers are signed as in Standard Webhooks
 * (https://www.standardwebhooks.com); docs/connectors.md has the contract.
 */
export const createWebhookConnector = (logins: Logins<WebhookLogin>): Connector => {
  const ask = (access: Access, operation: Operation, signal: AbortSignal) => {
    const { login, url } = readConfig(webhookConfig, access);
    // The same request has the same id, however often it is sent.
    const loginOf = operation === 'verify' || operation === 'revoke' ? loginOfGiven : loginFor;
    return send(
      loginOf(logins, login, access),
      url,
      operation,
      `${access.key}_${operation}_${access.fence}`,
      factsOf(access),
      signal,
      access.now,
    );
  };

  const isTooLate = (access: Access): boolean => {
    const { answerWithinHours } = readConfig(webhookConfig, access);
    return access.waitingSince !== null && access.now.getTime() - access.waitingSince.getTime() > answerWithinHours * 3_600_000;
  };

  /** What the endpoint gives when it is asked for something, at once or later. */
  const answerTo = async (
    access: Access,
    operation: 'apply' | 'extend',
    signal: AbortSignal,
    shape: z.ZodType<Given>,
    empty: Given,
  ): Promise<Given> => {
    if (access.answer) {
      const { outcome, message: text, credential } = access.answer;
      if (outcome === 'done') return { credential };
      throw new ConnectorError(outcome, text ? `The endpoint says: ${text}` : `The endpoint has told: ${outcome}`);
    }
    if (isTooLate(access)) throw new ConnectorError('refused', 'The endpoint has not told in time what came of it');
    return readAnswer(await ask(access, operation, signal), shape, empty);
  };

  return {
    plan: async (access) => {
      const { url } = readConfig(webhookConfig, access);
      return {
        steps: [
          `Ask ${new URL(url).host} to give the role ${access.role} on ${access.resourceKey}`,
          'At the end: ask it to take that away',
        ],
      };
    },

    apply: async (access, signal) => {
      const told = await answerTo(access, 'apply', signal, applied, { credential: {} });
      return { handle: {}, credential: told.credential ?? {} };
    },

    extend: async (access, signal) => (await answerTo(access, 'extend', signal, extended, {})).credential ?? null,

    verify: async (access, signal) => readAnswer(await ask(access, 'verify', signal), presence).present,

    revoke: async (access, signal) => {
      // Told to be over: whether it is so, verify finds out.
      if (access.answer?.outcome === 'done') return;
      try {
        readAnswer(await ask(access, 'revoke', signal), anything, {});
      } catch (error) {
        const waits = error instanceof ConnectorError && error.kind === 'pending';
        throw waits && isTooLate(access) ? new ConnectorError('failed', 'The endpoint has not told in time that it is over') : error;
      }
    },

    list: async (site, signal) => {
      const { login: name, url } = readConfig(webhookConfig, site);
      const { tenantId, tenantSlug: tenant, resourceKey: resource } = site;
      return listBy(logins, name, site, async (login) => {
        const answered = await send(login, url, 'list', `list_${crypto.randomUUID()}`, { tenantId, tenant, resource }, signal);
        // This part of the contract nobody has to keep.
        if (unknown.has(answered.status)) return null;
        return readAnswer(answered, listed).items.map((one) => ({ ...one, inForce: true }));
      });
    },

    check: async (trial, signal) => {
      const { login: name, url } = webhookConfig.parse(trial.config);
      const { tenantId, tenantSlug: tenant, roles } = trial;
      const ask = async (login: Login<WebhookLogin>) => {
        readAnswer(await send(login, url, 'check', `check_${crypto.randomUUID()}`, { tenantId, tenant, roles }, signal), anything, {});
        return [];
      };
      return tryLogin(logins, name, trial, ask, '/url');
    },

    hear: async (access, { payload, headers }) => {
      const { login } = readConfig(webhookConfig, access);
      try {
        const { SECRET } = loginOfGiven(logins, login, access).settings;
        const { data } = told.parse(new Webhook(SECRET).verify(Buffer.from(payload), headers));
        if (data.key !== access.key) throw new Error('The answer is about another access');
        const { attempt: fence, outcome, credential: secret, message: text } = data;
        return { fence, answer: { outcome, ...(secret && { credential: secret }), ...(text && { message: text }) } };
      } catch (cause) {
        throw new AppError('WEBHOOK_SIGNATURE_INVALID', undefined, { cause });
      }
    },
  };
};
