import type { Stage } from '@accessops/proto/accessops/common/v1/common_pb';
import type { AccessRequest } from '@accessops/proto/accessops/requests/v1/requests_pb';
import { z } from '@hono/zod-openapi';
import { duration, exampleId, exampleTime, id, jsonObject, time } from '../fields.ts';
import { objectOf, orNull, timeOf } from './proto.ts';

export const requestStatuses = [
  'PENDING',
  'APPROVED',
  'PROVISIONING',
  'ACTIVE',
  'EXPIRED',
  'REVOKED',
  'REJECTED',
  'CANCELLED',
  'LAPSED',
  'FAILED',
] as const;

export const accessRequestSchema = z
  .object({
    id: id('The request.'),
    status: z.enum(requestStatuses),
    requiredApprovals: z.int().openapi({ description: 'Of all stages together.' }),
    stages: z.array(
      z.object({
        name: z.string(),
        required: z.int().openapi({ description: 'How many different people.' }),
        roles: z.array(z.string()).openapi({ description: 'Holders of one of these org roles can decide.' }),
        teamId: id('Members of this team can decide.').nullable(),
      }),
    ),
    requesterId: id('Who asks.'),
    resourceId: id('For what.'),
    extendsRequestId: id('The request whose access this one has last longer; null when it asks for access of its own.').nullable(),
    role: z.string(),
    justification: z.string(),
    duration,
    parameters: jsonObject,
    ticket: z.string().nullable(),
    jobId: id('The provisioning job; null until there is one.').nullable(),
    grantId: id('The grant; null until there is one.').nullable(),
    createdAt: time,
    updatedAt: time,
    version: z.int(),
  })
  .openapi('AccessRequest');

export type AccessRequestJson = z.infer<typeof accessRequestSchema>;

export const accessRequestExample: AccessRequestJson = {
  id: exampleId,
  status: 'PENDING',
  requiredApprovals: 2,
  stages: [{ name: 'approval', required: 2, roles: ['approver', 'admin'], teamId: null }],
  requesterId: '0192f0c1-1111-7b4d-8c6f-2a9d1e4b7c31',
  resourceId: '0192f0c1-2222-7b4d-8c6f-2a9d1e4b7c32',
  extendsRequestId: null,
  role: 'reader',
  justification: 'Looking into an incident',
  duration: 'PT4H',
  parameters: {},
  ticket: 'OPS-42',
  jobId: null,
  grantId: null,
  createdAt: exampleTime,
  updatedAt: exampleTime,
  version: 1,
};

const stageJson = ({ name, required, roles, teamId }: Stage) => ({ name, required, roles, teamId: orNull(teamId) });

/** A request as the API shows it. */
export const accessRequestJson = (request: AccessRequest): AccessRequestJson => ({
  id: request.id,
  status: request.status as AccessRequestJson['status'],
  requiredApprovals: request.requiredApprovals,
  stages: request.stages.map(stageJson),
  requesterId: request.requesterId,
  resourceId: request.resourceId,
  extendsRequestId: orNull(request.extendsRequestId),
  role: request.role,
  justification: request.justification,
  duration: request.duration,
  parameters: objectOf(request.parametersJson),
  ticket: orNull(request.ticket),
  jobId: orNull(request.jobId),
  grantId: orNull(request.grantId),
  createdAt: timeOf(request.createdAt),
  updatedAt: timeOf(request.updatedAt),
  version: request.version,
});
