import { AppError } from '@accessops/errors';
import { z } from '@hono/zod-openapi';
import { defineRoute, type Route } from '../define-route.ts';

const policyVersion = z.object({ version: z.string() });

/** The policies in force, for platform staff. */
export const adminPolicyRoutes: Route[] = [
  defineRoute({
    method: 'get',
    path: '/api/v1/admin/policies/version',
    operationId: 'getPolicyVersion',
    tag: 'Platform',
    summary: 'Which policies are in force',
    audience: 'admin',
    platformOnly: true,
    cerbos: { resource: 'policy', action: 'read_version' },
    answer: {
      status: 200,
      description: 'The hash of the bundle by which decisions are made, as Cerbos itself tells it.',
      schema: policyVersion.openapi('PolicyVersion'),
      example: { version: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08' },
    },
    handle: async ({ outputs: [output] }) => {
      const { success, data } = policyVersion.safeParse(output);
      if (!success) throw new AppError('DEPENDENCY_UNAVAILABLE', 'The policies do not tell their version');
      return data;
    },
  }),
];
