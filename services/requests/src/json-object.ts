import { invalidField } from '@accessops/errors';

export type JsonObject = Record<string, unknown>;

/** How large a JSON document may be. */
export interface JsonLimits {
  characters: number;
  /** Of all kinds, together. */
  values: number;
  depth: number;
}

/** What people who set up a catalog may write. */
export const documentLimits: JsonLimits = { characters: 16_384, values: 1000, depth: 20 };

const isObject = (value: unknown): value is JsonObject => typeof value === 'object' && value !== null && !Array.isArray(value);

/** What is wrong with a string somewhere in it: such text cannot be stored or sent on everywhere. */
const wrongText = (text: string): string | undefined =>
  text.includes('\0') || !text.isWellFormed() ? 'must not hold NUL characters or half of a surrogate pair' : undefined;

/** The first thing wrong below a value; counts what it sees. */
const wrongBelow = (value: unknown, limits: JsonLimits, depth: number, seen: { values: number }): string | undefined => {
  seen.values += 1;
  if (seen.values > limits.values) return `must hold at most ${limits.values} values`;
  if (depth > limits.depth) return `must be nested at most ${limits.depth} deep`;
  if (typeof value === 'string') return wrongText(value);
  if (typeof value !== 'object' || value === null) return undefined;
  for (const [key, inner] of Object.entries(value)) {
    const wrong = key === '__proto__' ? 'must not hold the key __proto__' : (wrongText(key) ?? wrongBelow(inner, limits, depth + 1, seen));
    if (wrong) return wrong;
  }
  return undefined;
};

/** Reads a JSON object of limited size; an empty text is an empty object. Errors: INVALID_FIELDS at `pointer`. */
export const parseJsonObject = (pointer: string, text: string, limits: JsonLimits): JsonObject => {
  if (text === '') return {};
  if (text.length > limits.characters) throw invalidField(pointer, `must have at most ${limits.characters} characters of JSON`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw invalidField(pointer, 'must be a JSON object');
  }
  if (!isObject(value)) throw invalidField(pointer, 'must be a JSON object');
  const wrong = wrongBelow(value, limits, 0, { values: 0 });
  if (wrong) throw invalidField(pointer, wrong);
  return value;
};
