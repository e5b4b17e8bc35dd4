import { Gauge, type Registry } from '@accessops/telemetry';
import type { Pool } from 'pg';

/** How much of a process's connections is in use, and who waits for one. Looked at when Prometheus asks. */
export const poolMetrics = (pool: Pool, registry: Registry): void => {
  const registers = [registry];
  new Gauge({
    name: 'accessops_db_connections',
    help: 'Connections to PostgreSQL, by state: used, or idle.',
    labelNames: ['state'],
    registers,
    collect() {
      this.set({ state: 'idle' }, pool.idleCount);
      this.set({ state: 'used' }, pool.totalCount - pool.idleCount);
    },
  });
  new Gauge({
    name: 'accessops_db_connections_max',
    help: 'How many connections to PostgreSQL there may be.',
    registers,
    collect() {
      this.set(pool.options.max);
    },
  });
  new Gauge({
    name: 'accessops_db_waiting',
    help: 'Who waits for a connection to PostgreSQL.',
    registers,
    collect() {
      this.set(pool.waitingCount);
    },
  });
};
