import { AppError } from '@accessops/errors';
import type { CallOptions } from '@accessops/grpc';
import { type ListQuerySchema, Operator } from '@accessops/proto/accessops/common/v1/common_pb';
import type { DeadLetter } from '@accessops/proto/accessops/operations/v1/operations_pb';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { timestampMs } from '@bufbuild/protobuf/wkt';
import { type ServiceName, serviceNames } from './config.ts';
import type { Services } from './services.ts';

type Query = MessageInitShape<typeof ListQuerySchema>;

/** The last letter of the page before: where the next one starts, in every service. */
interface Position {
  at: number;
  id: string;
}

const positionOf = (letter: DeadLetter): Position => ({ at: letter.parkedAt ? timestampMs(letter.parkedAt) : 0, id: letter.id });

const compare = (a: Position, b: Position): number => a.at - b.at || (a.id < b.id ? -1 : Number(a.id > b.id));

/** All letters of one service, page by page. */
async function* lettersOf(client: Services['operations'][ServiceName], query: Query, options: CallOptions): AsyncGenerator<DeadLetter> {
  let after = '';
  do {
    const { items, page } = await client.listDeadLetters({ query: { ...query, after } }, options);
    yield* items;
    after = page?.next ?? '';
  } while (after);
}

const matches = (service: string, { operator, values = [] }: NonNullable<Query['filters']>[number]): boolean =>
  values.includes(service) !== (operator === Operator.NE);

/**
 * One page of the dead letters of all services, by the time they were parked. Each service is asked from the position
 * on, so that pages neither repeat nor miss anything while new letters come in.
 */
export const listDeadLetters = async (
  operations: Services['operations'],
  { limit = 50, after, sort = [], filters = [] }: Query,
  options: CallOptions,
): Promise<{ items: DeadLetter[]; next: string }> => {
  const descending = sort[0]?.descending ?? true;
  const position = after ? (JSON.parse(after) as Position) : undefined;
  const isAfter = (letter: DeadLetter) => !position || compare(positionOf(letter), position) * (descending ? -1 : 1) > 0;
  const from = position && {
    field: 'parkedAt',
    operator: descending ? Operator.LTE : Operator.GTE,
    values: [new Date(position.at).toISOString()],
  };
  const query: Query = {
    limit: Math.min(limit + 1, 200),
    sort: [{ field: 'parkedAt', descending }],
    filters: [...filters.filter(({ field }) => field !== 'consumer'), ...(from ? [from] : [])],
  };
  const asked = serviceNames.filter((name) => filters.every((filter) => filter.field !== 'consumer' || matches(name, filter)));
  const found = await Promise.all(
    asked.map(async (name) => {
      const letters: DeadLetter[] = [];
      for await (const letter of lettersOf(operations[name], query, options)) {
        if (isAfter(letter)) letters.push(letter);
        if (letters.length > limit) break;
      }
      return letters;
    }),
  );
  const all = found.flat().sort((a, b) => compare(positionOf(a), positionOf(b)) * (descending ? -1 : 1));
  const items = all.slice(0, limit);
  const last = items.at(-1);
  return { items, next: last && all.length > limit ? JSON.stringify(positionOf(last)) : '' };
};

/**
 * Replays a dead letter in the service that has it; nobody else knows which one that is.
 * Errors: DEAD_LETTER_NOT_FOUND, DEAD_LETTER_REPLAYED, DEAD_LETTER_FAILED_AGAIN, DEPENDENCY_UNAVAILABLE when it may be in a service that is down.
 */
export const replayDeadLetter = async (operations: Services['operations'], id: string, options: CallOptions): Promise<DeadLetter> => {
  let unreachable: AppError | undefined;
  for (const name of serviceNames) {
    try {
      return await operations[name].replayDeadLetter({ id }, options);
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      if (error.code === 'DEPENDENCY_UNAVAILABLE') unreachable = error;
      else if (error.code !== 'DEAD_LETTER_NOT_FOUND') throw error;
    }
  }
  throw unreachable ?? new AppError('DEAD_LETTER_NOT_FOUND');
};
