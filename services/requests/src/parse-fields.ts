import { AppError } from '@accessops/errors';

type Readers = Record<string, () => unknown>;
type Read<R extends Readers> = { [K in keyof R]: ReturnType<R[K]> };

/** Reads all fields of something; throws one INVALID_FIELDS that names every wrong one. */
export const parseFields = <R extends Readers>(readers: R): Read<R> => {
  const wrong: AppError[] = [];
  const read = Object.entries(readers).map(([name, reader]) => {
    try {
      return [name, reader()];
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'INVALID_FIELDS') throw error;
      wrong.push(error);
      return [name, undefined];
    }
  });
  if (wrong.length > 0) throw new AppError('INVALID_FIELDS', wrong[0]?.message, { fields: wrong.flatMap(({ fields }) => fields) });
  return Object.fromEntries(read) as Read<R>;
};
