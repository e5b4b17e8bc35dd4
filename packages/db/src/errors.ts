import { AppError, type Code } from '@accessops/errors';
import { UniqueConstraintViolationException } from '@mikro-orm/postgresql';

/**
 * Turns the violation of a unique index into the error that it stands for. Use as `.catch(onUnique({ index_name: 'CODE' }))`.
 * Other errors are thrown on unchanged.
 */
export const onUnique =
  (codesByIndex: Record<string, Code>) =>
  (error: unknown): never => {
    if (error instanceof UniqueConstraintViolationException) {
      const name = (error as { constraint?: string }).constraint ?? '';
      const code = codesByIndex[name];
      if (code) throw new AppError(code, undefined, { cause: error });
    }
    throw error;
  };

const connectionLost = /^(08|53|57P0[123])|ECONNREFUSED|ECONNRESET|EPIPE|ENOTFOUND|ETIMEDOUT/;

/** Whether the database could not be reached (rather than refusing what was asked). */
export const isDatabaseDown = (error: unknown): boolean => {
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    const { code, message } = at as { code?: string; message: string };
    if (
      connectionLost.test(code ?? '') ||
      /Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error/.test(message)
    )
      return true;
  }
  return false;
};
