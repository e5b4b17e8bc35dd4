import { invalidField } from '@accessops/errors';
import { Temporal } from 'temporal-polyfill';

/** A length of time that does not depend on a calendar. */
export interface Duration {
  /** ISO 8601, as given but in upper case and without fractions: PT4H. */
  iso: string;
  /** Whole and above zero. */
  seconds: number;
}

const longest = 64;

const read = (text: string): Temporal.Duration | undefined => {
  if (text.length > longest) return undefined;
  try {
    return Temporal.Duration.from(text);
  } catch {
    return undefined;
  }
};

/** Reads an ISO 8601 duration of weeks, days, hours, minutes and whole seconds. Errors: INVALID_FIELDS at `pointer`. */
export const parseDuration = (pointer: string, text: string): Duration => {
  const duration = read(text);
  if (!duration) throw invalidField(pointer, 'must be an ISO 8601 duration such as PT4H');
  const { years, months, weeks, days, hours, minutes, seconds } = duration;
  if (years || months) throw invalidField(pointer, 'must not hold years or months: their length differs');
  if (duration.milliseconds || duration.microseconds || duration.nanoseconds) throw invalidField(pointer, 'must be whole seconds');
  const total = (((weeks * 7 + days) * 24 + hours) * 60 + minutes) * 60 + seconds;
  if (total <= 0) throw invalidField(pointer, 'must be longer than 0');
  return { iso: /[.,+]/.test(text) ? duration.toString() : text.toUpperCase(), seconds: total };
};

/** The same, refused beyond `longest`. Errors: INVALID_FIELDS at `pointer`. */
export const parseDurationUpTo = (pointer: string, text: string, longest: Duration): Duration => {
  const duration = parseDuration(pointer, text);
  if (duration.seconds > longest.seconds) throw invalidField(pointer, `must be at most ${longest.iso}`);
  return duration;
};

/** No access lasts longer. */
export const aYear: Duration = { iso: 'P365D', seconds: 365 * 86_400 };
