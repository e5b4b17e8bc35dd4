import { AppError, codes, kinds } from '@accessops/errors';
import { noCredentials } from './authenticate.ts';

/** The call that went wrong. */
export interface FailedCall {
  /** Path of the call, without its query. */
  path: string;
  requestId: string;
  /** What every answer carries. */
  headers: Readonly<Record<string, string>>;
}

/** What the caller may see of an error: itself, or INTERNAL_ERROR for whatever is not ours. */
export const publicError = (error: unknown): AppError => (error instanceof AppError ? error : new AppError('INTERNAL_ERROR'));

/** Where an error code is described; relative, so that it holds wherever the API is served. */
export const documentationOf = (code: string): string => `/docs/errors#${code}`;

const quoted = (value: string): string => `"${value.replaceAll(/[^\x20\x21\x23-\x5b\x5d-\x7e]/g, '')}"`;

/** RFC 9110 wants a challenge with every 401; RFC 6750 names what is wrong with a token when there is one, RFC 9470 which one would do. */
const challengeOf = ({ code, message, members: { acrValues, maxAge }, cause }: AppError): string => {
  if (cause === noCredentials) return 'Bearer';
  if (code === 'INVALID_TOKEN' || code === 'INVALID_API_KEY') return 'Bearer error="invalid_token"';
  if (code !== 'INSUFFICIENT_AUTHENTICATION' && code !== 'MFA_ENROLMENT_REQUIRED') return 'Bearer';
  return [
    'Bearer error="insufficient_user_authentication"',
    `error_description=${quoted(message)}`,
    `acr_values=${quoted(String(acrValues ?? 'aal2'))}`,
    ...(typeof maxAge === 'number' ? [`max_age=${quoted(String(maxAge))}`] : []),
  ].join(', ');
};

/** The RFC 9457 problem document of an error, with the members `requestId`, `error` and, for a 422, `errors`. */
export const problemOf = (error: AppError, { path, requestId }: Pick<FailedCall, 'path' | 'requestId'>): Record<string, unknown> => {
  const { title, http: status } = kinds[error.kind];
  return {
    ...error.members,
    type: documentationOf(error.code),
    title,
    status,
    detail: error.message,
    instance: path,
    requestId,
    error: { code: error.code, message: error.message },
    ...(status === 422 ? { errors: error.fields } : {}),
  };
};

const headersOf = (error: AppError, { headers }: FailedCall): Record<string, string> => ({
  ...headers,
  'content-type': 'application/problem+json',
  ...(error.kind === 'unauthenticated' ? { 'www-authenticate': challengeOf(error) } : {}),
  ...(error.kind === 'unavailable' ? { 'retry-after': '1' } : {}),
  ...(error.kind === 'tooMany' ? { 'retry-after': String(error.members.retryAfter ?? 1) } : {}),
});

/** The answer to a call that failed. */
export const problemResponse = (error: AppError, call: FailedCall, headers: Record<string, string> = {}): Response =>
  new Response(JSON.stringify(problemOf(error, call)), { status: error.httpStatus, headers: { ...headersOf(error, call), ...headers } });

/** The same as bytes of HTTP/1.1, for a socket on which no request could be read. */
export const rawProblem = (error: AppError, call: FailedCall): string => {
  const body = JSON.stringify(problemOf(error, call));
  const headers = { ...headersOf(error, call), 'content-length': String(Buffer.byteLength(body)), connection: 'close' };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  return `HTTP/1.1 ${error.httpStatus} ${kinds[error.kind].title}\r\n${lines.join('\r\n')}\r\n\r\n${body}`;
};

/** A page that explains every error code; `type` of a problem points into it. */
export const errorsPage = (): string => {
  const rows = Object.entries(codes).map(
    ([code, { kind, meaning }]) => `<tr id="${code}"><td><code>${code}</code></td><td>${kinds[kind].http}</td><td>${meaning}</td></tr>`,
  );
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>AccessOps: error codes</title></head>
<body>
<h1>Error codes</h1>
<table>
<thead><tr><th>Code</th><th>Status</th><th>Meaning</th></tr></thead>
<tbody>
${rows.join('\n')}
</tbody>
</table>
</body>
</html>
`;
};
