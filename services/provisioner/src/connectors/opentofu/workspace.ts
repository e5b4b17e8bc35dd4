import { constants } from 'node:fs';
import { access as canAccess, cp, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { OpentofuConfig } from '@accessops/connectors';
import { z } from 'zod';
import { type Access, ConnectorError } from '../../connector.ts';
import { type DescribedPlan, describePlan } from './describe-plan.ts';
import { explainFailure, hasExplained, isApplied, type Phase, type Redact, redacting, senselessAnswer } from './explain-failure.ts';
import { stateSchema } from './ledger.ts';
import type { OpentofuLogin } from './opentofu-login.ts';
import { runProgram } from './run-program.ts';
import { makeTempFolder } from './temp-folder.ts';

/** A plan that can be applied as it is. */
export interface PlanFile {
  /** The program's own file, in base64; values of variables are in it. */
  file: string;
  /** The variables that it was made with, in JSON: the program takes no others along with it. */
  variables: string;
}

/** A plan that people may be told of. */
export type SavedPlan = PlanFile & DescribedPlan;

/** How an apply has failed, and whether the state knows what it had made until then. */
export interface ApplyFailure {
  error: ConnectorError;
  isSaved: boolean;
}

/** A module in a folder of its own for one call: nothing of it is shared with another run. */
export interface Workspace {
  init(signal: AbortSignal): Promise<void>;
  /** What is wrong with the module. */
  validate(signal: AbortSignal): Promise<void>;
  /** Plans with other variables, when they are told. */
  plan(signal: AbortSignal, variables?: string): Promise<SavedPlan>;
  planEnd(signal: AbortSignal): Promise<PlanFile>;
  /** Whether the program can read a plan: what another version of it has made it cannot. */
  canRead(plan: PlanFile, signal: AbortSignal): Promise<boolean>;
  apply(plan: PlanFile, signal: AbortSignal): Promise<ApplyFailure | undefined>;
  /** The credential that the module hands over. */
  credential(signal: AbortSignal): Promise<Record<string, unknown>>;
  /** Whether anything is there in the eyes of the module's own check; undefined when it has none. */
  check(signal: AbortSignal): Promise<boolean | undefined>;
  remove(): Promise<void>;
}

/** What a module is told of the access that it is for. */
export type ModuleAccess = Pick<Access, 'key' | 'role' | 'holderId' | 'tenantId' | 'resourceKey' | 'parameters'>;

export interface WorkspaceOptions {
  settings: OpentofuLogin;
  config: OpentofuConfig;
  /** Where the program keeps what it has downloaded for the module. */
  plugins: string;
  /** Waits until nobody else downloads for the module. */
  inTurn<T>(work: () => Promise<T>): Promise<T>;
}

const searchPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const leftBehind = new Set(['.terraform', '.git', 'terraform.tfstate', 'terraform.tfstate.backup']);

const variablesOf = ({ variables }: OpentofuConfig, { VARIABLES }: OpentofuLogin, access: ModuleAccess) => ({
  ...variables,
  ...VARIABLES,
  access_key: access.key,
  role: access.role,
  holder_id: access.holderId,
  tenant_id: access.tenantId,
  resource_key: access.resourceKey,
  parameters: access.parameters,
});

const stringsIn = (value: unknown): string[] => {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(stringsIn) : [];
};

const redactOf = ({ VARIABLES, ENVIRONMENT, STATE_URL }: OpentofuLogin): Redact =>
  redacting([...stringsIn(VARIABLES), ...Object.values(ENVIRONMENT), STATE_URL, decodeURIComponent(new URL(STATE_URL).password)]);

const credentialOutput = z.object({ credential: z.object({ value: z.record(z.string(), z.unknown()) }) });

const isThere = (path: string, mode = constants.F_OK): Promise<boolean> =>
  canAccess(path, mode).then(
    () => true,
    () => false,
  );

const write = (path: string, content: string | Buffer) => writeFile(path, content, { mode: 0o600 });

/** What a program has answered in JSON. The error of the parser would quote it, and secrets may be in it. */
const jsonIn = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    throw senselessAnswer('failed');
  }
};

/** Whether there is such a module. */
export const hasModule = async ({ MODULES }: OpentofuLogin, { module }: OpentofuConfig): Promise<boolean> =>
  stat(join(MODULES, module)).then(
    (found) => found.isDirectory(),
    () => false,
  );

/** Makes a workspace for an access. Its owner removes it. */
export const openWorkspace = async ({ settings, config, plugins, inTurn }: WorkspaceOptions, access: ModuleAccess): Promise<Workspace> => {
  if (!(await hasModule(settings, config))) throw new ConnectorError('refused', `The login has no module "${config.module}"`);
  const home = await makeTempFolder('module');
  // All modules: one may use what lies beside it.
  const modules = join(home, 'modules');
  const cwd = join(modules, config.module);
  const cliConfig = settings.CLI_CONFIG ?? join(home, 'cli.tfrc');
  const variables = JSON.stringify(variablesOf(config, settings, access));
  // Values, never text that the program would understand: https://opentofu.org/docs/language/values/variables/#variable-definitions-tfvars-files
  const variablesFile = join(cwd, 'accessops.auto.tfvars.json');
  const redact = redactOf(settings);
  const env = {
    PATH: searchPath,
    HOME: home,
    LANG: 'C.UTF-8',
    ...settings.ENVIRONMENT,
    TF_CLI_CONFIG_FILE: cliConfig,
    TF_PLUGIN_CACHE_DIR: plugins,
    TF_IN_AUTOMATION: '1',
    TF_INPUT: '0',
    CHECKPOINT_DISABLE: '1',
    TF_WORKSPACE: access.key,
  };

  const tofu = (args: string[], signal: AbortSignal) =>
    runProgram(settings.PROGRAM, args, { cwd, env: { ...env, PG_CONN_STR: settings.STATE_URL }, signal });

  /** Runs a command that changes nothing; answers what it has put out. */
  const ask = async (phase: Phase, args: string[], signal: AbortSignal): Promise<string> => {
    const { code, stdout } = await tofu(args, signal);
    signal.throwIfAborted();
    if (code !== 0) throw explainFailure(phase, stdout, redact);
    return stdout;
  };

  const planFile = join(cwd, 'plan.bin');
  const put = async (plan: PlanFile): Promise<void> => {
    await write(variablesFile, plan.variables);
    await write(planFile, Buffer.from(plan.file, 'base64'));
  };

  const lockTimeout = `-lock-timeout=${config.timeoutSeconds}s`;

  const planWith = async (args: string[], own: string, signal: AbortSignal): Promise<PlanFile> => {
    await write(variablesFile, own);
    await rm(planFile, { force: true });
    await ask('plan', ['plan', '-input=false', '-json', lockTimeout, '-out=plan.bin', ...args], signal);
    if (!(await isThere(planFile))) throw senselessAnswer('failed');
    return { file: (await readFile(planFile)).toString('base64'), variables: own };
  };
  const show = ['show', '-json', 'plan.bin'];

  try {
    await mkdir(plugins, { recursive: true });
    await cp(settings.MODULES, modules, { recursive: true, filter: (source) => !leftBehind.has(basename(source)) });
    const backend = { pg: { schema_name: stateSchema, skip_schema_creation: true, skip_table_creation: true, skip_index_creation: true } };
    await write(join(cwd, 'accessops_override.tf.json'), JSON.stringify({ terraform: { backend } }));
    await write(variablesFile, variables);
    if (!settings.CLI_CONFIG) await write(cliConfig, '');
  } catch (error) {
    await rm(home, { recursive: true, force: true });
    throw error;
  }

  return {
    init: async (signal) => {
      await inTurn(() => ask('init', ['init', '-input=false', '-json'], signal));
    },

    validate: async (signal) => {
      await inTurn(() => ask('init', ['init', '-input=false', '-json', '-backend=false'], signal));
      await ask('init', ['validate', '-json'], signal);
    },

    plan: async (signal, own = variables) => {
      const plan = await planWith([], own, signal);
      return { ...plan, ...describePlan(jsonIn(await ask('plan', show, signal))) };
    },
    planEnd: (signal) => planWith(['-destroy'], variables, signal),

    canRead: async (plan, signal) => {
      await put(plan);
      const { code } = await tofu(show, signal);
      signal.throwIfAborted();
      return code === 0;
    },

    apply: async (plan, signal) => {
      await put(plan);
      const { code, stdout } = await tofu(['apply', '-input=false', '-json', lockTimeout, 'plan.bin'], signal);
      if (code === 0 && isApplied(stdout)) return undefined;
      if (signal.aborted || code === null) {
        return { error: new ConnectorError('unknown', 'The module was cut off while it was at work'), isSaved: false };
      }
      const error = explainFailure('apply', stdout, redact);
      // It crashed; or another run has the lock; or what this one knows could not be saved.
      return { error, isSaved: hasExplained(stdout) && error.kind !== 'failed' && !(await isThere(join(cwd, 'errored.tfstate'))) };
    },

    credential: async (signal) => {
      const output = credentialOutput.safeParse(jsonIn(await ask('read', ['output', '-json'], signal)));
      if (!output.success) throw new ConnectorError('refused', 'The output "credential" of the module is not an object');
      return output.data.credential.value;
    },

    check: async (signal) => {
      const program = join(cwd, 'check');
      if (!(await isThere(program, constants.X_OK))) return undefined;
      const failed = (cause?: unknown) => new ConnectorError('failed', 'The check of the module has failed', cause);
      const { code, stdout } = await runProgram(program, [], { cwd, env, input: variables, signal }).catch((cause: unknown) => {
        throw failed(cause);
      });
      signal.throwIfAborted();
      const answer = stdout.trim();
      if (code !== 0 || !['present', 'absent'].includes(answer)) throw failed();
      return answer === 'present';
    },

    remove: () => rm(home, { recursive: true, force: true }),
  };
};
