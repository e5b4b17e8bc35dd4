import type { Authorizer } from '@accessops/authz';
import { createHealthProbe } from '@accessops/grpc';
import { type Health, healthOf } from '@accessops/telemetry';
import type { TlsIdentity } from '@accessops/tls';
import type { GatewayConfig } from './config.ts';
import { serviceNames } from './config.ts';

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
  /** Unset: calls are not counted in Redis. */
  isRedisUp: (() => boolean) | undefined;
}

/** Without these nothing more can be asked for; without audit, NATS and Redis everything goes on and is made good later. */
const critical: ReadonlySet<string> = new Set(['identity', 'requests', 'approvals', 'provisioner', 'cerbos']);

/** Whether nothing more can be asked for while this is down. */
export const isCritical = (name: string): boolean => critical.has(name);

const deadlineMs = 500;
const keptMs = 200;

/** A health check that keeps its connections, asks all parts at once, and remembers the answer for a moment. */
export const createHealthCheck = ({ services, authorizer, tls, isNatsUp, isRedisUp }: HealthOptions): HealthCheck => {
  const probes = serviceNames.map((name) => ({ name, probe: createHealthProbe(services[name], tls) }));
  let current: Promise<Health> | undefined;
  let checkedAt = Number.NEGATIVE_INFINITY;

  const look = async (): Promise<Health> => {
    const found = await Promise.all([
      ...probes.map(async ({ name, probe }) => [name, await probe.isServing(deadlineMs)] as const),
      authorizer.isUp().then((up) => ['cerbos', up] as const),
    ]);
    const heard = [['nats', isNatsUp()] as const, ...(isRedisUp ? [['redis', isRedisUp()] as const] : [])];
    return healthOf([...found, ...heard].map(([name, up]) => ({ name, critical: isCritical(name), up })));
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
