import { AckPolicy, DeliverPolicy, RetentionPolicy, StorageType } from 'nats';
import { type Broker, isMissing } from './broker.ts';
import { streamOf, subjectOf } from './topology.ts';

const seconds = 1e9;

/** Makes sure that the stream of a service is there; answers when it was created, which tells one incarnation from another. */
export const ensureStream = async ({ jsm, replicas }: Broker, namespace: string, service: string): Promise<string> => {
  const name = streamOf(namespace, service);
  try {
    return (await jsm.streams.info(name)).created;
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
  const info = await jsm.streams.add({
    name,
    subjects: [subjectOf(namespace, service)],
    storage: StorageType.File,
    num_replicas: replicas,
    retention: RetentionPolicy.Limits,
    max_age: 7 * 24 * 3600 * seconds,
    duplicate_window: 120 * seconds,
  });
  return info.created;
};

/** Makes sure that `service` has its consumer on the stream of `producer`: one durable that starts at the beginning. */
export const ensureConsumer = async ({ jsm }: Broker, namespace: string, producer: string, service: string): Promise<void> => {
  const stream = streamOf(namespace, producer);
  try {
    await jsm.consumers.info(stream, service);
  } catch (error) {
    if (!isMissing(error)) throw error;
    await jsm.consumers.add(stream, {
      durable_name: service,
      filter_subject: subjectOf(namespace, producer),
      ack_policy: AckPolicy.Explicit,
      deliver_policy: DeliverPolicy.All,
      ack_wait: 30 * seconds,
      max_ack_pending: 2000,
      max_deliver: -1,
    });
  }
};
