import type { Posted } from '@accessops/outbound';
import { z } from 'zod';
import { ConnectorError, nonsense } from '../../connector.ts';

/** Shown to people, so kept short. */
export const message = z.string().max(300);
const refusal = z.object({ message });

// What may be over when it is asked again: too early, too often, or somebody else at work.
const passing = new Set([408, 409, 425, 429, 503]);

const parsed = <T>(body: string, shape: z.ZodType<T>): T | undefined => {
  try {
    return shape.safeParse(JSON.parse(body)).data;
  } catch {
    return undefined;
  }
};

const said = (body: string): string => {
  const told = parsed(body, refusal)?.message;
  return told ? `: ${told}` : '';
};

/**
 * What an endpoint has answered, in the shape that was asked for; `empty` is what no content means. Whatever else it says becomes a ConnectorError.
 */
export const readAnswer = <T>({ status, body }: Posted, shape: z.ZodType<T>, empty?: T): T => {
  if (status === 202) throw new ConnectorError('pending', 'The endpoint has taken it on and will tell');
  if (status === 204 && empty !== undefined) return empty;
  if (status === 200 || status === 201) {
    const answer = parsed(body, shape);
    if (answer !== undefined) return answer;
    throw nonsense('The endpoint');
  }
  if (passing.has(status)) throw new ConnectorError('failed', `The endpoint cannot do it now (${status})${said(body)}`);
  if (status >= 300 && status < 500) throw new ConnectorError('refused', `The endpoint refuses (${status})${said(body)}`);
  throw new ConnectorError('unknown', `The endpoint has answered with the status ${status}`);
};
