import type { ChildProcess } from 'node:child_process';
import { reserveFreePort } from '@accessops/dev';
import { until } from './until.ts';

const mostTries = 5;

/** Starts a server on a port that was free a moment ago, and waits until it is there; on another one where somebody has taken that meanwhile. */
export const startOnFreePort = async (
  serve: (port: number) => ChildProcess,
  isThere: (port: number) => Promise<boolean>,
  tries = 1,
): Promise<{ port: number; server: ChildProcess }> => {
  const reserved = await reserveFreePort();
  const { port } = reserved;
  await reserved.release();
  const server = serve(port);
  const hasEnded = () => server.exitCode !== null || server.signalCode !== null;
  await until(async () => hasEnded() || (await isThere(port)), { timeoutMs: 60_000, what: `a server on port ${port}` });
  if (!hasEnded()) return { port, server };
  if (tries === mostTries) throw new Error(`${server.spawnfile} has ended ${mostTries} times`);
  return startOnFreePort(serve, isThere, tries + 1);
};
