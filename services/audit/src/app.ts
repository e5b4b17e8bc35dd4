import { AuditService } from '@accessops/proto/accessops/audit/v1/audit_pb';
import { type RunningService, type ServiceOverrides, startService } from '@accessops/service';
import { createAppender } from './append-events.ts';
import { AuditEvent } from './audit-event.ts';
import type { AuditConfig } from './config.ts';
import { keepPartitionsAhead } from './partitions.ts';
import { auditHandlers } from './rpc.ts';

/** Starts the audit service: it records the changes that all services tell of, and answers what happened. */
export const startAudit = (config: AuditConfig, overrides?: ServiceOverrides): Promise<RunningService> =>
  startService(
    {
      name: 'audit',
      service: AuditService,
      entities: [AuditEvent],
      handlers: auditHandlers,
      subscriptions: createAppender,
      background: keepPartitionsAhead,
    },
    config,
    overrides,
  );
