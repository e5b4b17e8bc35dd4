import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import type { IAMClient } from '@aws-sdk/client-iam';
import { nonsense } from '../../connector.ts';

interface Answer {
  statusCode: number;
  body: Readable | Buffer;
}

/**
 * Has the client throw when an answer does not begin as answers to its command do: the library takes whatever came with a status of success
 * for an empty one.
 */
export const believeOnlyIam = (client: IAMClient): void => {
  client.middlewareStack.add(
    (next, { commandName = '' }) =>
      async (args) => {
        const result = await next(args);
        const response = result.response as Answer;
        const body = await buffer(response.body as Readable);
        response.body = body;
        const root = new RegExp(`<(?:${commandName.replace(/Command$/, '')}Response|ErrorResponse)[\\s>]`);
        if (response.statusCode < 500 && !root.test(body.toString())) throw nonsense('The store');
        return result;
      },
    // Before the library reads the answer.
    { step: 'deserialize', priority: 'low' },
  );
};
