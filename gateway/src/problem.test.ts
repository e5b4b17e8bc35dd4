import { AppError, codes, enrolmentRequired, insufficientAuthentication, invalidField } from '@accessops/errors';
import { describe, expect, test } from 'vitest';
import { errorsPage, problemOf, problemResponse, publicError, rawProblem } from './problem.ts';

const call = { path: '/api/v1/requests', requestId: 'r-1', headers: { 'x-request-id': 'r-1' } };

describe('problems', () => {
  test('when a field is wrong, then the document names it', () => {
    expect(problemOf(invalidField('/duration', 'must be positive'), call)).toEqual({
      type: '/docs/errors#INVALID_FIELDS',
      title: 'Invalid fields',
      status: 422,
      detail: 'must be positive',
      instance: '/api/v1/requests',
      requestId: 'r-1',
      error: { code: 'INVALID_FIELDS', message: 'must be positive' },
      errors: [{ pointer: '/duration', message: 'must be positive' }],
    });
  });

  test('when it is no 422, then it has no errors', () => {
    expect(problemOf(new AppError('REQUEST_NOT_PENDING'), call)).toMatchObject({ status: 409, title: 'Not possible now' });
    expect(problemOf(new AppError('REQUEST_NOT_PENDING'), call)).not.toHaveProperty('errors');
  });

  test('when an error has members, then they are there and cannot replace the standard ones', () => {
    const error = new AppError('REQUEST_ALREADY_OPEN', undefined, { members: { freeSlots: [], status: 200, requestId: 'x' } });
    expect(problemOf(error, call)).toMatchObject({ freeSlots: [], status: 409, requestId: 'r-1' });
  });

  test('when an error is not ours, then nothing of it is told', () => {
    const error = publicError(new Error('password=hunter2'));
    expect(error.code).toBe('INTERNAL_ERROR');
    expect(JSON.stringify(problemOf(error, call))).not.toContain('hunter2');
  });

  test('when a second factor is missing, then the challenge says which authentication would do', () => {
    const challenge = (error: AppError) => problemResponse(error, call).headers.get('www-authenticate');
    expect(challenge(insufficientAuthentication('aal2'))).toBe(
      'Bearer error="insufficient_user_authentication", error_description="A second factor is demanded for this: step up and try again.", acr_values="aal2"',
    );
    expect(challenge(insufficientAuthentication('aal2', 300))).toMatch(/, acr_values="aal2", max_age="300"$/);
    expect(challenge(enrolmentRequired('aal2'))).toMatch(/^Bearer error="insufficient_user_authentication", .*, acr_values="aal2"$/);
    expect(challenge(new AppError('MFA_REQUIRED'))).toBe('Bearer');
    expect(challenge(new AppError('INVALID_TOKEN'))).toBe('Bearer error="invalid_token"');
  });

  test('when there were too many attempts, then the answer says how long to wait', () => {
    const error = new AppError('TOO_MANY_ATTEMPTS', undefined, { members: { retryAfter: 42 } });
    expect(problemResponse(error, call).headers.get('retry-after')).toBe('42');
  });

  test('when there were too many calls, then it says when to come again', () => {
    const error = new AppError('TOO_MANY_REQUESTS', undefined, { members: { retryAfter: 7 } });
    const answer = problemResponse(error, call);
    expect([answer.status, answer.headers.get('retry-after'), answer.headers.get('x-request-id')]).toEqual([429, '7', 'r-1']);
  });

  test('when no request could be read, then the answer is HTTP all the same', () => {
    const [head = '', body = ''] = rawProblem(new AppError('HEADERS_TOO_LARGE'), call).split('\r\n\r\n');
    expect(head).toMatch(/^HTTP\/1\.1 431 /);
    expect(head).toContain(`content-length: ${Buffer.byteLength(body)}`);
    expect(JSON.parse(body)).toMatchObject({ status: 431, error: { code: 'HEADERS_TOO_LARGE' } });
  });

  test('when the codes are shown, then each can be pointed at', () => {
    const page = errorsPage();
    for (const code of Object.keys(codes)) expect(page).toContain(`id="${code}"`);
  });
});
