const parts = /^P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?$/;
const unitSeconds = [604_800, 86_400, 3600, 60, 1];

/** Seconds of a duration that has the shape that `fields.ts` asks for; at most what fits into 31 bits. */
export const secondsOf = (duration: string): number => {
  const [, ...counts] = parts.exec(duration) ?? [];
  const seconds = unitSeconds.reduce((sum, unit, index) => sum + unit * Number(counts[index] ?? 0), 0);
  return Math.min(seconds, 2 ** 31 - 1);
};
