import { fork } from 'node:child_process';
import { once } from 'node:events';
import { type LoadOptions, load, type Measured } from './load.ts';

/** What Hono does with nothing behind it, in a process of its own. */
export const measureHono = async (options: Pick<LoadOptions, 'connections' | 'seconds'>): Promise<Measured> => {
  const child = fork(new URL('./bare-hono.ts', import.meta.url), { stdio: 'ignore' });
  try {
    const [port] = (await once(child, 'message')) as [number];
    return await load({ ...options, url: `http://127.0.0.1:${port}/` });
  } finally {
    child.kill();
  }
};
