import { z } from '@hono/zod-openapi';
import { exampleTime, time } from '../fields.ts';

export const commitSchema = z
  .object({
    commit_sha: z.string().openapi({ description: 'The commit it was built from; `unknown` when nobody has told.' }),
    deployed_at: time.openapi({ description: 'When the process that answers began to run.' }),
  })
  .openapi('CurrentCommit');

export const commitExample: z.infer<typeof commitSchema> = {
  commit_sha: '3f786850e387550fdab836ed7e6dc881de23001b',
  deployed_at: exampleTime,
};

const dependencies = z.array(
  z.object({
    name: z.string(),
    status: z.enum(['ok', 'down']),
    critical: z.boolean().openapi({ description: 'Without it nothing more can be asked for.' }),
  }),
);

const processSchema = z.object({
  name: z.string(),
  status: z.enum(['ok', 'down']),
  commitSha: z.string().nullable(),
  startedAt: time.nullable(),
  dependencies: dependencies.openapi({ description: 'What a service needs besides others, as it sees it.' }),
  missing: z
    .array(z.object({ variable: z.string(), consequence: z.string() }))
    .openapi({ description: 'Variables that are not set though it would run better with them.' }),
});

export const environmentSchema = z
  .object({
    status: z.enum(['ok', 'degraded', 'down']),
    dependencies: dependencies.openapi({ description: 'What the gateway needs, as it sees it.' }),
    processes: z.array(processSchema),
  })
  .openapi('EnvironmentSanity');

export type EnvironmentJson = z.infer<typeof environmentSchema>;

export type ProcessJson = EnvironmentJson['processes'][number];

export const environmentExample: EnvironmentJson = {
  status: 'ok',
  dependencies: [
    { name: 'identity', status: 'ok', critical: true },
    { name: 'nats', status: 'ok', critical: false },
  ],
  processes: [
    {
      name: 'gateway',
      status: 'ok',
      commitSha: commitExample.commit_sha,
      startedAt: exampleTime,
      dependencies: [],
      missing: [{ variable: 'REDIS_URL', consequence: 'Several gateways count calls each by itself' }],
    },
    {
      name: 'identity',
      status: 'ok',
      commitSha: commitExample.commit_sha,
      startedAt: exampleTime,
      dependencies: [
        { name: 'postgresql', status: 'ok', critical: true },
        { name: 'keycloak', status: 'down', critical: false },
      ],
      missing: [],
    },
  ],
};
