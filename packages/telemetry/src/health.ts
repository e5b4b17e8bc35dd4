import { setTimeout as delay } from 'node:timers/promises';

/** Something that a process needs. */
export interface Dependency {
  name: string;
  /** Whether nothing can be done while it is down; without others work goes on, and is made good later. */
  critical: boolean;
  /** May throw or take for ever: then it is down. */
  isUp(): Promise<boolean>;
}

/** What a process finds of what it needs. */
export interface Health {
  status: 'ok' | 'degraded' | 'down';
  services: Record<string, 'ok' | 'down'>;
}

/** A dependency as it was found. */
export interface Found extends Pick<Dependency, 'name' | 'critical'> {
  up: boolean;
}

const answersWithinMs = 1500;

const lookAt = async ({ name, critical, isUp }: Dependency): Promise<Found> => {
  const answered = new AbortController();
  const tooLate = delay(answersWithinMs, false, { signal: answered.signal, ref: false });
  const up = await Promise.race([isUp(), tooLate]).catch(() => false);
  answered.abort();
  return { name, critical, up };
};

/** Asks all dependencies at once; whatever does not answer within 1.5 s is down. */
export const lookAtAll = (dependencies: readonly Dependency[]): Promise<Found[]> => Promise.all(dependencies.map(lookAt));

/** What it comes to. */
export const healthOf = (found: readonly Found[]): Health => {
  const down = found.filter(({ up }) => !up);
  const impaired = down.length > 0 ? 'degraded' : 'ok';
  return {
    status: down.some(({ critical }) => critical) ? 'down' : impaired,
    services: Object.fromEntries(found.map(({ name, up }) => [name, up ? 'ok' : 'down'])),
  };
};
