/** How long a mail waits after its nth failed attempt, in milliseconds: 1 s, 2 s, 4 s … at most 5 minutes. */
export const backOffMs = (attempts: number): number => Math.min(1000 * 2 ** Math.min(attempts - 1, 20), 300_000);
