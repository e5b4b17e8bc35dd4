import type { Authorizer } from '@accessops/authz';
import { createHealthProbe } from '@accessops/grpc';
import type { TlsIdentity } from '@accessops/tls';
import type { GatewayConfig } from './config.ts';
import { serviceNames } from './config.ts';

export interface Health {
  status: 'ok' | 'degraded' | 'down';
  services: Record<string, 'ok' | 'down'>;
}

/** Looks at everything the gateway depends on. */
export interface HealthCheck {
  /** At most 200 ms old. */
  check(): Promise<Health>;
  close(): void;
}

export interface HealthOptions {
  services: GatewayConfig['services'];
  authorizer: Authorizer;
  tls: TlsIdentity | undefined;
  isNatsUp(): boolean;
}

/** Without these nothing more can be asked for; without audit and NATS everything goes on and is made good later. */
const critical: ReadonlySet<string> = new Set(['identity', 'requests', 'approvals', 'provisioner', 'cerbos']);

/** Whether nothing more can be asked for while this is down. */
export const isCritical = (name: string): boolean => critical.has(name);

const deadlineMs = 500;
const keptMs = 200;

/** A health check that keeps its connections, asks all parts at once, and remembers the answer for a moment. */
export const createHealthCheck = ({ services, authorizer, tls, isNatsUp }: HealthOptions): HealthCheck => {
  const probes = serviceNames.map((name) => ({ name, probe: createHealthProbe(services[name], tls) }));
  let current: Promise<Health> | undefined;
  let checkedAt = Number.NEGATIVE_INFINITY;

  const look = async (): Promise<Health> => {
    const found = await Promise.all([
      ...probes.map(async ({ name, probe }) => [name, await probe.isServing(deadlineMs)] as const),
      authorizer.isUp().then((up) => ['cerbos', up] as const),
    ]);
    const all = [...found, ['nats', isNatsUp()] as const];
    const down = all.filter(([, up]) => !up).map(([name]) => name);
    const impaired = down.length > 0 ? 'degraded' : 'ok';
    return {
      status: down.some(isCritical) ? 'down' : impaired,
      services: Object.fromEntries(all.map(([name, up]) => [name, up ? 'ok' : 'down'])),
    };
  };

  return {
    check: () => {
      const now = performance.now();
      if (!current || now - checkedAt > keptMs) {
        checkedAt = now;
        current = look();
      }
      return current;
    },
    close: () => {
      for (const { probe } of probes) probe.close();
    },
  };
};
