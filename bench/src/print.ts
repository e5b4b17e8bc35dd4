import type { Measured } from './load.ts';

/** A number with about three digits. */
export const figure = (value: number): string => (value >= 100 ? value.toFixed(0) : value.toFixed(value >= 10 ? 1 : 2));

/** One line of the report. */
export const line = (name: string, { perSecond, p50, p95, p99, errors }: Measured, extra = ''): void =>
  console.log(
    `${name.padEnd(34)} ${figure(perSecond).padStart(8)}/s   p50 ${figure(p50).padStart(6)}  p95 ${figure(p95).padStart(6)}  p99 ${figure(p99).padStart(6)} ms${errors ? `  ${errors} errors` : ''}${extra}`,
  );
