import { isDeepStrictEqual } from 'node:util';
import { AckPolicy, type ConsumerConfig, DeliverPolicy, RetentionPolicy, StorageType, type StreamConfig } from 'nats';
import { type Broker, isMissing } from './broker.ts';
import { streamOf, subjectOf } from './topology.ts';

const seconds = 1e9;

/** Of which line its events are; see lineage.ts. Servers of any version keep a description. */
export const lineageIn = ({ description }: Pick<StreamConfig, 'description'>): string => description ?? '';

/**
 * Makes sure that the stream of a service is there, with events of this line; answers when it was created, which tells one incarnation from
 * another. One of another line is replaced, with the consumers on it; `beforeThat` can still look at it.
 */
export const ensureStream = async (
  { jsm, replicas }: Broker,
  namespace: string,
  service: string,
  lineage = '',
  beforeThat: () => Promise<void> = async () => {},
): Promise<string> => {
  const name = streamOf(namespace, service);
  try {
    const { created, config } = await jsm.streams.info(name);
    if (lineageIn(config) === lineage) return created;
    await beforeThat();
    await jsm.streams.delete(name);
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
  const info = await jsm.streams.add({
    name,
    ...(lineage && { description: lineage }),
    subjects: [subjectOf(namespace, service)],
    storage: StorageType.File,
    num_replicas: replicas,
    retention: RetentionPolicy.Limits,
    max_age: 7 * 24 * 3600 * seconds,
    duplicate_window: 120 * seconds,
  });
  return info.created;
};

const filtersOf = ({ filter_subject, filter_subjects }: ConsumerConfig): string[] =>
  filter_subjects ?? (filter_subject ? [filter_subject] : []);

/**
 * Makes sure that `service` has its consumer on the stream of `producer`: one durable that starts at the beginning and gets the events of
 * these types. One that there is already gets them from now on, and may get what its stream still has of types that are new to it.
 */
export const ensureConsumer = async (
  { jsm }: Broker,
  namespace: string,
  { producer, service, types }: { producer: string; service: string; types: readonly string[] },
): Promise<void> => {
  const stream = streamOf(namespace, producer);
  const filters = types.map((type) => subjectOf(namespace, producer, type)).toSorted();
  try {
    const { config } = await jsm.consumers.info(stream, service);
    if (isDeepStrictEqual(filtersOf(config).toSorted(), filters)) return;
    await jsm.consumers.update(stream, service, { filter_subject: undefined, filter_subjects: filters });
  } catch (error) {
    if (!isMissing(error)) throw error;
    await jsm.consumers.add(stream, {
      durable_name: service,
      filter_subjects: filters,
      ack_policy: AckPolicy.Explicit,
      deliver_policy: DeliverPolicy.All,
      ack_wait: 30 * seconds,
      max_ack_pending: 2000,
      max_deliver: -1,
    });
  }
};
