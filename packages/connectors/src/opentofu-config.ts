import { z } from 'zod';
import { loginName } from './login-name.ts';

/** Variables that every module is given; see docs/connectors.md. */
const givenVariables = ['access_key', 'role', 'holder_id', 'tenant_id', 'resource_key', 'parameters'] as const;

const variableName = z
  .string()
  .max(63)
  .regex(/^[a-z_][a-z0-9_]*$/, 'must be the name of a variable')
  .refine((name) => !givenVariables.some((given) => given === name), 'is given to every module');

/** A module that makes access and takes it away. */
export const opentofuConfig = z.strictObject({
  login: loginName.describe('Which folder of modules that the provisioner has been given to use, and where their state is kept.'),
  module: z
    .string()
    // One folder, never a way out of where modules are.
    .regex(/^[a-z0-9][a-z0-9_-]{0,62}$/, 'must be small letters, digits, - and _')
    .describe('The module: a folder.'),
  variables: z
    .record(variableName, z.json())
    .default({})
    .describe('Values for variables of the module; what the login sets goes before them.'),
  timeoutSeconds: z.number().int().min(5).max(3600).default(300).describe('How long one run of the module may take.'),
});

export type OpentofuConfig = z.infer<typeof opentofuConfig>;
