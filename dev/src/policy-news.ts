import { subjectOf } from '@accessops/events/topology';
import { connect } from 'nats';

/** Who is told, by NATS, that policies change. */
export interface PolicyNews {
  /** Others are about to be loaded; Cerbos answers late meanwhile. Answers when everybody has had time to hear it. */
  changing(): Promise<void>;
  /** Others are in force: what is remembered of decisions is worth nothing. */
  changed(version: string): Promise<void>;
}

const hearingMs = 100;

/** Tells all processes of a namespace. */
export const policyNews = ({ url, user, password }: { url: string; user: string; password: string }, namespace: string): PolicyNews => {
  const tell = async (type: string, text: string) => {
    const connection = await connect({ servers: url, user, pass: password, name: 'policies' });
    connection.publish(subjectOf(namespace, 'policies', type), text);
    await connection.drain();
  };
  return {
    changing: async () => {
      await tell('PoliciesChanging', '');
      await new Promise((resolve) => setTimeout(resolve, hearingMs));
    },
    changed: (version) => tell('PoliciesChanged', version),
  };
};
