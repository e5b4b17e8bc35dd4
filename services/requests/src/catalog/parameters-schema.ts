import { AppError, type FieldViolation, invalidField, pointerTo } from '@accessops/errors';
import { type ErrorObject, Ajv2020 as Validator } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import { documentLimits, type JsonLimits, type JsonObject, parseJsonObject } from '../json-object.ts';
import { linearPattern } from './linear-pattern.ts';

const pointer = '/parametersSchema';
const dialect = 'https://json-schema.org/draft/2020-12/schema';

/** Together with the limits of a schema these bound the work of one validation. */
const parameterLimits: JsonLimits = { characters: 4096, values: 200, depth: 10 };
const largestPatterns = 1000;

// The validator tells patterns apart by their text.
const regExp = Object.assign((source: string) => ({ ...linearPattern(source), toString: () => source }), { code: 'linearPattern' });

const validator = new Validator({
  strict: true,
  strictTypes: false,
  strictTuples: false,
  strictRequired: false,
  allErrors: false,
  addUsedSchema: false,
  logger: false,
  // The size of all patterns of a schema is bounded, and none of them can backtrack.
  code: { regExp },
});
formats.default(validator, {
  mode: 'fast',
  formats: ['date', 'time', 'date-time', 'duration', 'email', 'hostname', 'ipv4', 'ipv6', 'uri', 'uuid'],
});

/** The steps that the patterns below a value may take for each character. References are refused: they could multiply the work. */
const patternSize = (value: unknown): number => {
  if (typeof value !== 'object' || value === null) return 0;
  return Object.entries(value).reduce((size, [key, inner]) => {
    if (key.startsWith('$') && key !== '$comment') throw new SyntaxError(`${key} is not supported: a schema stands for itself`);
    if (key === 'pattern' && typeof inner === 'string') return size + linearPattern(inner).size;
    if (key === 'patternProperties' && typeof inner === 'object' && inner !== null) {
      return Object.keys(inner).reduce((sum, source) => sum + linearPattern(source).size, size) + patternSize(inner);
    }
    return size + patternSize(inner);
  }, 0);
};

const compile = (text: string) => {
  const { $schema = dialect, ...schema }: JsonObject = parseJsonObject(pointer, text, documentLimits);
  try {
    if ($schema !== dialect) throw new SyntaxError(`$schema must be ${dialect}`);
    if (patternSize(schema) > largestPatterns) throw new SyntaxError('the patterns are too large');
    return validator.compile(schema);
  } catch (error) {
    throw invalidField(
      pointer,
      `must be a JSON Schema (2020-12): ${error instanceof Error ? error.message.slice(0, 500) : 'it cannot be read'}`,
    );
  } finally {
    // Compiled schemas are remembered here, by their text; the validator would keep them for ever.
    validator.removeSchema(schema);
  }
};

const remembered = new Map<string, ReturnType<typeof compile>>();
const mostRemembered = 200;

const compiled = (text: string) => {
  let validate = remembered.get(text);
  if (!validate) {
    validate = compile(text);
    const [oldest] = remembered.keys();
    if (remembered.size >= mostRemembered && oldest !== undefined) remembered.delete(oldest);
    remembered.set(text, validate);
  }
  return validate;
};

/**
 * The JSON Schema (2020-12) of a type's parameters, as text without spaces; empty when none are taken. A schema stands for itself (no references),
 * its unknown keywords are errors, and its patterns are those of `linearPattern`. Errors: INVALID_FIELDS at /parametersSchema.
 */
export const parseParametersSchema = (text: string): string => {
  if (text === '') return '';
  const normal = JSON.stringify(parseJsonObject(pointer, text, documentLimits));
  compiled(normal);
  return normal;
};

const violationOf = ({ instancePath, params, message = 'is not valid' }: ErrorObject): FieldViolation => {
  const { missingProperty, additionalProperty, unevaluatedProperty, propertyName } = params as Record<string, string | undefined>;
  const key = missingProperty ?? additionalProperty ?? unevaluatedProperty ?? propertyName;
  return { pointer: `/parameters${instancePath}${key === undefined ? '' : pointerTo([key])}`, message };
};

/** Reads the parameters of a request by the schema of its type; answers them as JSON text. Errors: INVALID_FIELDS below /parameters. */
export const parseParameters = (schema: string, text: string): string => {
  const parameters: JsonObject = parseJsonObject('/parameters', text, parameterLimits);
  if (schema === '') {
    if (Object.keys(parameters).length > 0) throw invalidField('/parameters', 'this type of resource takes no parameters');
    return '';
  }
  const validate = compiled(schema);
  if (validate(parameters)) return JSON.stringify(parameters);
  const fields = (validate.errors ?? []).map(violationOf);
  throw new AppError('INVALID_FIELDS', fields[0]?.message, { fields });
};
