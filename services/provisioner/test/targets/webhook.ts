import { randomBytes } from 'node:crypto';
import { newId } from '@accessops/db';
import { startReceiver } from '../receiver.ts';
import { page, type RealTarget } from './real-target.ts';

/** An endpoint that keeps the contract. */
export const startWebhook = async (): Promise<RealTarget> => {
  const secret = `whsec_${randomBytes(24).toString('base64')}`;
  const receiver = await startReceiver(secret);
  const held = (key: string) => {
    const found = receiver.held.get(key);
    if (!found) throw new Error(`nothing was ever given under ${key}`);
    return found;
  };
  return {
    connector: 'webhook',
    port: receiver.port,
    login: () => ({ SECRET: secret, NETWORKS: '127.0.0.1/32' }),
    config: (login, port) => ({ login, url: receiver.url(port) }),
    letsIn: async ({ password }) =>
      [...receiver.held.values()].some((one) => one.present && one.password === password && one.endsAt > new Date()),
    endOf: async (key) => held(key).endsAt,
    objectsOf: async (key) => (receiver.held.get(key)?.present ? ['given'] : []),
    moments: { halfway: /access\.apply/, given: /access\.apply/, taken: /access\.revoke/ },
    strangers: [page('html'), page('json')],
    takeAway: async (key) => {
      held(key).present = false;
    },
    leave: async (key) => {
      held(key).present = true;
    },
    giveToOther: async () => {
      const name = `other-${newId()}`;
      receiver.others.push(name);
      return name;
    },
    close: () => receiver.close(),
  };
};
