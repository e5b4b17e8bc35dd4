import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { serviceEnvironment } from '@accessops/service';
import { z } from 'zod';
import { environment as gateway } from '../../gateway/src/config.ts';
import { environment as approvals } from '../../services/approvals/src/config.ts';
import { environment as identity } from '../../services/identity/src/config.ts';
import { settings } from '../../services/identity/src/settings/registry.ts';
import { environment as provisioner } from '../../services/provisioner/src/config.ts';
import { loginSettings } from '../../services/provisioner/src/connectors/target-logins.ts';
import {
  awaitSchemaEnvironment,
  demoEnvironment,
  keycloakDatabaseEnvironment,
  migrateEnvironment,
  recoverEnvironment,
} from './script-environments.ts';

const root = join(import.meta.dirname, '../..');

/** A variable that a process reads. */
export interface Variable {
  name: string;
  meaning: string;
  /** It cannot do without. */
  needed: boolean;
  /** What it is while it is not set. */
  byDefault?: string;
}

/** Doc comments of fields, by name, out of the file that declares them. */
const commentsIn = (file: string): [string, string][] =>
  [...readFileSync(join(root, file), 'utf8').matchAll(/\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*\n\s*([A-Z][A-Z0-9_]*):/g)].map(
    ([, comment = '', name = '']) => [name, comment.replaceAll(/\s*\n\s*\*\s*/g, ' ').trim()],
  );

interface JsonSchema {
  enum?: string[];
  default?: unknown;
  type?: string;
  minimum?: number;
  maximum?: number;
}

const valuesOf = ({ enum: values, type, minimum, maximum }: JsonSchema): string => {
  if (values) return ` One of ${values.map((value) => `\`${value}\``).join(', ')}.`;
  return type === 'integer' && minimum !== undefined ? ` ${minimum} to ${maximum}.` : '';
};

// What several processes are told is declared in a package.
const shared = globSync('packages/*/src/**/*.ts', { cwd: root }).flatMap(commentsIn);

/** The variables of a schema, with their meanings out of the doc comments of the file that declares it. */
const variablesOf = (shape: Record<string, z.ZodType>, file: string): Variable[] => {
  const comments = new Map([...shared, ...commentsIn(file)]);
  return Object.entries(shape).map(([name, field]) => {
    const comment = comments.get(name);
    if (!comment) throw new Error(`${name} has no doc comment in ${file}, nor in a package`);
    const schema = z.toJSONSchema(field, { io: 'input', unrepresentable: 'any' }) as JsonSchema;
    const without = field.meta()?.without;
    const otherwise = typeof without === 'string' ? ` Without it: ${without[0]?.toLowerCase()}${without.slice(1)}.` : '';
    return {
      name,
      meaning: `${comment}${valuesOf(schema)}${otherwise}`,
      needed: !field.safeParse(undefined).success,
      ...(schema.default === undefined || schema.default === '' ? {} : { byDefault: String(schema.default) }),
    };
  });
};

const common = 'packages/service/src/config.ts';

const own = (shape: Record<string, z.ZodType>) =>
  Object.fromEntries(Object.entries(shape).filter(([name]) => !Object.hasOwn(serviceEnvironment.shape, name)));

/** What all five services read. */
export const serviceVariables = variablesOf(serviceEnvironment.shape, common);

/** What each process reads besides. */
export const ownVariables: Record<string, Variable[]> = {
  gateway: variablesOf(gateway.shape, 'gateway/src/config.ts'),
  identity: variablesOf(own(identity.shape), 'services/identity/src/config.ts'),
  requests: [],
  approvals: variablesOf(own(approvals.shape), 'services/approvals/src/config.ts'),
  provisioner: variablesOf(own(provisioner.shape), 'services/provisioner/src/config.ts'),
  audit: [],
};

/** What the programs of the image `migrate` read. */
export const scriptVariables: Record<string, Variable[]> = Object.fromEntries(
  Object.entries({
    migrate: migrateEnvironment,
    'await-schema': awaitSchemaEnvironment,
    'keycloak-database': keycloakDatabaseEnvironment,
    demo: demoEnvironment,
    recover: recoverEnvironment,
  }).map(([name, { shape }]) => [name, variablesOf(shape, 'deploy/src/script-environments.ts')]),
);

/** Values of settings that identity reads. */
export const settingVariables: Variable[] = Object.entries(settings).map(([key, { environment, description, default: byDefault }]) => ({
  name: environment,
  meaning: `\`${key}\`: ${description}`,
  needed: false,
  ...(byDefault === '' ? {} : { byDefault: typeof byDefault === 'string' ? byDefault : JSON.stringify(byDefault) }),
}));

const connectorFolders: Record<keyof typeof loginSettings, [prefix: string, file: string]> = {
  'keycloak-group': ['KEYCLOAK', 'keycloak-group/keycloak-login.ts'],
  kubernetes: ['KUBERNETES', 'kubernetes/kubernetes-login.ts'],
  opentofu: ['OPENTOFU', 'opentofu/opentofu-login.ts'],
  postgres: ['POSTGRES', 'postgres/postgres-login.ts'],
  s3: ['S3', 's3/s3-login.ts'],
  'ssh-certificate': ['SSH', 'ssh-certificate/ssh-login.ts'],
  webhook: ['WEBHOOK', 'webhook/webhook-login.ts'],
};

/** Ways into targets that the provisioner reads, by connector; `<NAME>` is the operator's choice. */
export const loginVariables: Record<string, Variable[]> = Object.fromEntries(
  Object.entries(connectorFolders).map(([connector, [prefix, file]]) => [
    connector,
    variablesOf(loginSettings[connector as keyof typeof loginSettings].shape, `services/provisioner/src/connectors/${file}`).map(
      (variable) => ({ ...variable, name: `CONNECTOR_${prefix}_<NAME>_${variable.name}` }),
    ),
  ]),
);

/** Whether a process reads a variable, or the file that it names. */
export const isRead = (process: string, name: string): boolean => {
  const variables = [
    ...(scriptVariables[process] ?? ownVariables[process] ?? []),
    ...(process in scriptVariables || process === 'gateway' ? [] : serviceVariables),
    ...(process === 'identity' ? settingVariables : []),
    ...(process === 'provisioner' ? Object.values(loginVariables).flat() : []),
  ];
  return variables.some((variable) => {
    const pattern = new RegExp(`^${variable.name.replace(/<NAME>_.*/, '[A-Z0-9_]+')}(?:_FILE)?$`);
    return pattern.test(name);
  });
};
