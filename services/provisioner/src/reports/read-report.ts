import { AppError } from '@accessops/errors';
import type { FileStore } from '@accessops/files';
import type { Call } from '@accessops/service';
import { findReport } from './find-report.ts';
import { fileOf } from './report.ts';

// Well below the largest message that gRPC takes.
const pieceBytes = 256 * 1024;

/**
 * The file of a report, piece by piece, as fast as it is taken. Errors: REPORT_NOT_FOUND, REPORT_NOT_READY, REPORT_EXPIRED,
 * DEPENDENCY_UNAVAILABLE, PERMISSION_DENIED.
 */
export async function* readReport(call: Call, store: FileStore, id: string): AsyncGenerator<Uint8Array> {
  const report = await call.read((ctx) => findReport(ctx, id));
  if (report.status === 'EXPIRED') throw new AppError('REPORT_EXPIRED');
  if (report.status !== 'READY') throw new AppError('REPORT_NOT_READY');
  const content = await store.open(fileOf(report)).catch((cause: unknown) => {
    throw new AppError('DEPENDENCY_UNAVAILABLE', 'The store of files cannot be reached', { cause });
  });
  if (!content) throw new AppError('REPORT_EXPIRED');
  for await (const piece of content) {
    call.signal.throwIfAborted();
    for (let from = 0; from < piece.length; from += pieceBytes) yield piece.subarray(from, from + pieceBytes);
  }
}
