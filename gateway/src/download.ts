export interface DownloadOptions<T> {
  filename: string;
  type: string;
  /** What comes before the first piece. */
  head?: Uint8Array;
  bytesOf(piece: T): Uint8Array;
}

/** An answer that hands a file on as its pieces come; an error before the first is thrown, a later one breaks the answer off. */
export const download = async <T>(pieces: AsyncIterable<T>, { filename, type, head, bytesOf }: DownloadOptions<T>): Promise<Response> => {
  const iterator = pieces[Symbol.asyncIterator]();
  let next = await iterator.next();
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => {
      if (head) controller.enqueue(head);
    },
    pull: async (controller) => {
      if (next.done) return controller.close();
      controller.enqueue(bytesOf(next.value));
      next = await iterator.next();
      return undefined;
    },
    cancel: async () => {
      await iterator.return?.();
    },
  });
  return new Response(body, {
    status: 200,
    headers: {
      'content-type': type,
      'content-disposition': `attachment; filename="${filename}"`,
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
    },
  });
};
