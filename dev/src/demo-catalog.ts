/** A resource of the demo catalog with the type it is of. */
export interface DemoResource {
  key: string;
  name: string;
  /** Whether the team of data owners owns it. */
  owned?: boolean;
  type: Record<string, unknown> & { key: string };
}

const common = { connector: 'simulated', roles: ['reader', 'writer'], maxDuration: 'P1D' };

const parameters = (properties: Record<string, unknown>) => ({ type: 'object', properties, additionalProperties: false });

const databaseParameters = parameters({
  schema: {
    type: 'string',
    title: 'Schema',
    description: 'Only this schema; all of them when left out.',
    pattern: '^[a-z_][a-z0-9_]{0,62}$',
  },
});
const bucketParameters = parameters({
  prefix: { type: 'string', title: 'Prefix', description: 'Only objects whose name begins like this.', maxLength: 200 },
});
const labParameters = parameters({
  nodes: { type: 'integer', title: 'Nodes', description: 'How many of the machines of the lab.', minimum: 1, maximum: 16 },
});

/** `acme` has a real database behind it, which is no other tenant's. */
const productionDatabase = (tenant: string) => ({
  ...common,
  key: 'production-database',
  name: 'Production database',
  sensitivity: 'high',
  ...(tenant === 'acme'
    ? { connector: 'postgres', config: { login: 'prod', roles: { reader: ['prod_reader'], writer: ['prod_writer'] } } }
    : { parametersSchema: databaseParameters }),
});

/** The catalog of a demo tenant. */
export const demoCatalog = (tenant: string): readonly DemoResource[] => [
  {
    key: 'staging-db',
    name: 'Staging database',
    type: { ...common, key: 'staging-database', name: 'Staging database', sensitivity: 'low', parametersSchema: databaseParameters },
  },
  {
    key: 'prod-db',
    name: 'Production database',
    type: productionDatabase(tenant),
  },
  {
    key: 'customer-bucket',
    name: 'Customer documents',
    owned: true,
    type: { ...common, key: 'bucket', name: 'Storage bucket', sensitivity: 'low', pii: true, parametersSchema: bucketParameters },
  },
  {
    key: 'perf-lab',
    name: 'Performance lab',
    type: { ...common, key: 'lab', name: 'Performance lab', sensitivity: 'low', exclusive: true, parametersSchema: labParameters },
  },
  {
    key: 'flaky-sandbox',
    name: 'Sandbox whose first attempt fails',
    type: { ...common, key: 'flaky-sandbox', name: 'Flaky sandbox', sensitivity: 'low', config: { failFirst: 1 } },
  },
  {
    key: 'broken-sandbox',
    name: 'Sandbox that always fails',
    type: { ...common, key: 'broken-sandbox', name: 'Broken sandbox', sensitivity: 'low', config: { alwaysFail: true } },
  },
];
