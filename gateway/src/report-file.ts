import type { ReadReportResponse, Report } from '@accessops/proto/accessops/provisioner/v1/provisioner_pb';
import { download } from './download.ts';
import { timeOf } from './representations/proto.ts';

const types: Record<string, string> = { csv: 'text/csv; charset=utf-8', json: 'application/json' };

/** An answer that hands the file of a report on as it comes; see `download`. */
export const reportFile = ({ kind, format, createdAt }: Report, pieces: AsyncIterable<ReadReportResponse>): Promise<Response> =>
  download(pieces, {
    filename: `${kind}-${timeOf(createdAt).slice(0, 10)}.${format}`,
    type: types[format] ?? 'application/octet-stream',
    bytesOf: ({ piece }) => piece,
  });
