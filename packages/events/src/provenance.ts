import { type Tellers, toldOn } from './topology.ts';

// The one header of the server's own that our events have; it takes an event once by it.
const messageId = 'Nats-Msg-Id';

/**
 * Why a message is no event of the service whose subject it came on; undefined when it is one. The server lets a login publish its own
 * subjects only, and can still be made to put there what it sends itself: messages that a stream republishes or takes from another one
 * have headers that say so, its answers have none of ours.
 */
export const refusalOf = (tellers: Tellers, subject: string, headers: Readonly<Record<string, string>>): string | undefined => {
  const { producer, type } = toldOn(subject);
  const foreign = Object.keys(headers).find((name) => /^nats-/i.test(name) && name !== messageId);
  if (foreign !== undefined) return `${producer} did not send it: it has the header ${foreign}`;
  if (headers['ce-source'] !== `/${producer}`) return `its source is not ${producer}, whose subject it came on`;
  if (headers['ce-type'] !== type) return `its type is not ${type}, as its subject says`;
  if (tellers[producer]?.includes(type)) return undefined;
  const teller = Object.keys(tellers).find((other) => tellers[other]?.includes(type));
  // What nobody is known to tell is of a version that is newer than this one.
  return teller && `${type} is for ${teller} to tell, not for ${producer}`;
};
