import { configSchema, connectorNames } from '@accessops/connectors';
import { z } from '@hono/zod-openapi';
import { defineRoute, type Route } from '../define-route.ts';
import { jsonObject, key, roleNames } from '../fields.ts';

const connectors = connectorNames.map((name) => ({ name, configSchema: configSchema(name) }));

const connectorSchema = z.object({
  name: z.string(),
  configSchema: jsonObject.openapi({ description: 'JSON Schema of `config` in a resource type.' }),
});

const trial = z.strictObject({ connector: key, config: jsonObject, roles: roleNames }).openapi('ConnectionTrial');

const problem = z.object({
  pointer: z.string().openapi({ description: 'JSON pointer to the field that it is about.' }),
  message: z.string(),
});

/** Hands on targets: which there are, and whether a target can be worked with. */
export const orgConnectorRoutes: Route[] = [
  defineRoute({
    method: 'get',
    path: '/api/v1/org/connectors',
    operationId: 'listConnectors',
    tag: 'Org catalog',
    summary: 'The connectors that resource types may use, and how they are configured',
    audience: 'org-admin',
    cerbos: { resource: 'resource_type', action: 'list' },
    answer: {
      status: 200,
      description: 'All connectors.',
      schema: z.object({ items: z.array(connectorSchema) }),
      example: { items: connectors.slice(0, 1) },
    },
    handle: async () => ({ items: connectors }),
  }),
  defineRoute({
    method: 'post',
    path: '/api/v1/org/connectors/check',
    operationId: 'checkConnection',
    tag: 'Org catalog',
    summary: 'Whether a target can be worked with',
    description: 'Asks the target, and changes nothing there. What is wrong with the configuration itself is a 422.',
    audience: 'org-admin',
    cerbos: { resource: 'resource_type', action: 'check' },
    idempotent: false,
    body: {
      schema: trial,
      example: { connector: 'postgres', config: { login: 'prod', roles: { reader: ['customer_reader'] } }, roles: ['reader'] },
    },
    answer: {
      status: 200,
      description: 'What has to be put right first.',
      schema: z.object({ ok: z.boolean(), problems: z.array(problem) }),
      example: { ok: false, problems: [{ pointer: '/config/roles/reader/0', message: 'does not exist at the target' }] },
    },
    handle: async ({ services, body, options }) => {
      const { connector, config, roles } = body;
      const trialled = await services.provisioner.checkConnection({ connector, roles, configJson: JSON.stringify(config) }, options);
      const problems = trialled.problems.map(({ pointer, message }) => ({ pointer, message }));
      return { ok: problems.length === 0, problems };
    },
  }),
];
