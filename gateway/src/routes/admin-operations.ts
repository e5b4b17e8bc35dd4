import type { Deployment } from '@accessops/telemetry';
import { serviceNames } from '../config.ts';
import { defineRoute, type Route, type RouteCall } from '../define-route.ts';
import { isCritical } from '../health.ts';
import {
  commitExample,
  commitSchema,
  type EnvironmentJson,
  environmentExample,
  environmentSchema,
  type ProcessJson,
} from '../representations/deployment.ts';
import { timeOf } from '../representations/proto.ts';

const cerbos = { resource: 'deployment', action: 'read' };

const own = async ({ commitSha, startedAt, missing }: Deployment): Promise<ProcessJson> => ({
  name: 'gateway',
  status: 'ok',
  commitSha,
  startedAt: startedAt.toISOString(),
  dependencies: [],
  missing,
});

/** What the services tell of themselves; one that does not answer is down. */
const processesOf = ({ services, options, deployment }: RouteCall<undefined>): Promise<ProcessJson[]> =>
  Promise.all([
    own(deployment),
    ...serviceNames.map(async (name): Promise<ProcessJson> => {
      try {
        const { commitSha, startedAt, missing, dependencies: found } = await services.operations[name].describeDeployment({}, options);
        const variables = missing.map(({ variable, consequence }) => ({ variable, consequence }));
        const dependencies = found.map(({ name: of, critical, up }) => ({
          name: of,
          status: up ? ('ok' as const) : ('down' as const),
          critical,
        }));
        return { name, status: 'ok', commitSha, startedAt: timeOf(startedAt), dependencies, missing: variables };
      } catch {
        // Whatever is the matter with it stands in its log; here it counts that it does not answer.
        return { name, status: 'down', commitSha: null, startedAt: null, dependencies: [], missing: [] };
      }
    }),
  ]);

/** What runs, and what it lacks, for platform staff. */
export const adminOperationRoutes: Route[] = [
  defineRoute({
    method: 'get',
    path: '/api/v1/admin/ops/current-commit',
    operationId: 'getCurrentCommit',
    tag: 'Platform',
    summary: 'Which commit runs',
    audience: 'admin',
    platformOnly: true,
    cerbos,
    answer: { status: 200, description: 'Of the gateway that answers.', schema: commitSchema, example: commitExample },
    handle: async ({ deployment: { commitSha, startedAt } }) => ({ commit_sha: commitSha, deployed_at: startedAt.toISOString() }),
  }),
  defineRoute({
    method: 'get',
    path: '/api/v1/admin/ops/env-sanity',
    operationId: 'getEnvironmentSanity',
    tag: 'Platform',
    summary: 'Whether everything is there that the platform needs',
    description:
      'Each dependency as the gateway sees it now, and for each process its commit, what it needs itself, and the variables that it lacks; never a value.',
    audience: 'admin',
    platformOnly: true,
    cerbos,
    answer: { status: 200, description: 'What was found.', schema: environmentSchema, example: environmentExample },
    handle: async (call): Promise<EnvironmentJson> => {
      const [{ status, services }, processes] = await Promise.all([call.health(), processesOf(call)]);
      const dependencies = Object.entries(services).map(([name, state]) => ({ name, status: state, critical: isCritical(name) }));
      return { status, dependencies, processes };
    },
  }),
];
