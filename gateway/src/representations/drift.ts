import type { DriftReport } from '@accessops/proto/accessops/provisioner/v1/provisioner_pb';
import { z } from '@hono/zod-openapi';
import { exampleId, exampleTime, id, time } from '../fields.ts';
import { orNull, timeOrNull } from './proto.ts';

const name = z.string().openapi({ description: 'What it is called at the target.' });
const kind = z.string().openapi({ description: 'What it is there: a role, a user, a member, …' });

export const driftSchema = z
  .object({
    id: id('The comparison; null before the first.').nullable(),
    resourceId: id('The resource.'),
    status: z.enum(['NEVER', 'QUEUED', 'RUNNING', 'SUCCEEDED', 'FAILED', 'UNSUPPORTED']).openapi({
      description: '`FAILED`: a target could not be asked. `UNSUPPORTED`: the target cannot tell what it has.',
    }),
    createdAt: time.nullable(),
    startedAt: time.nullable(),
    finishedAt: time.nullable(),
    missing: z
      .array(
        z.object({
          grantId: id('Active, and not at the target.'),
          holderId: id('Who has it.'),
          role: z.string(),
          jobId: id('Puts it back.'),
        }),
      )
      .openapi({ description: 'Access that was put back, with another credential.' }),
    surplus: z
      .array(z.object({ key: id('The job that made it.'), name, kind, jobId: id('Takes it away.') }))
      .openapi({ description: 'What was left of access to this resource that is over: taken away.' }),
    foreign: z
      .array(z.object({ name, kind }))
      .openapi({ description: 'Access that nobody has got by AccessOps, or not by this one: never touched.' }),
    repaired: z.int().openapi({ description: 'How many jobs put right what was found.' }),
    error: z.string().nullable(),
  })
  .openapi('DriftReport');

type DriftJson = z.infer<typeof driftSchema>;

export const driftExample: DriftJson = {
  id: exampleId,
  resourceId: '0192f0c1-2222-7b4d-8c6f-2a9d1e4b7c32',
  status: 'SUCCEEDED',
  createdAt: exampleTime,
  startedAt: exampleTime,
  finishedAt: '2026-11-21T09:30:01.000Z',
  missing: [],
  surplus: [],
  foreign: [{ name: 'legacy_report', kind: 'role' }],
  repaired: 0,
  error: null,
};

/** A comparison of a target with the grants of a resource, as the API shows it. */
export const driftJson = (report: DriftReport): DriftJson => ({
  id: orNull(report.id),
  resourceId: report.resourceId,
  status: report.status as DriftJson['status'],
  createdAt: timeOrNull(report.createdAt),
  startedAt: timeOrNull(report.startedAt),
  finishedAt: timeOrNull(report.finishedAt),
  missing: report.missing.map(({ grantId, holderId, role, jobId }) => ({ grantId, holderId, role, jobId })),
  surplus: report.surplus.map(({ key, name, kind, jobId }) => ({ key, name, kind, jobId })),
  foreign: report.foreign.map(({ name, kind }) => ({ name, kind })),
  repaired: report.missing.length + report.surplus.length,
  error: orNull(report.error),
});
