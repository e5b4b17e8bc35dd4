import type { ReadReportResponse, Report } from '@accessops/proto/accessops/provisioner/v1/provisioner_pb';

const types: Record<string, string> = { csv: 'text/csv; charset=utf-8', json: 'application/json' };

/** An answer that hands the file of a report on as it comes; an error before the first piece is thrown, a later one breaks the answer off. */
export const reportFile = async ({ kind, format, createdAt }: Report, pieces: AsyncIterable<ReadReportResponse>): Promise<Response> => {
  const iterator = pieces[Symbol.asyncIterator]();
  let next = await iterator.next();
  const body = new ReadableStream<Uint8Array>({
    pull: async (controller) => {
      if (next.done) return controller.close();
      controller.enqueue(next.value.piece);
      next = await iterator.next();
      return undefined;
    },
    cancel: async () => {
      await iterator.return?.();
    },
  });
  const day = new Date(Number(createdAt?.seconds ?? 0n) * 1000).toISOString().slice(0, 10);
  return new Response(body, {
    status: 200,
    headers: {
      'content-type': types[format] ?? 'application/octet-stream',
      'content-disposition': `attachment; filename="${kind}-${day}.${format}"`,
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
    },
  });
};
