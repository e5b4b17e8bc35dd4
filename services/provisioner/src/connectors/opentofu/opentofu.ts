import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { opentofuConfig } from '@accessops/connectors';
import { type Access, type Connector, ConnectorError } from '../../connector.ts';
import { type Login, type Logins, listBy, loginFor, loginOfGiven, tryLogin } from '../logins.ts';
import { createTarget, type Target } from '../postgres/target.ts';
import { readConfig } from '../read-config.ts';
import { createLedger, type Ledger, type Standing } from './ledger.ts';
import type { OpentofuLogin } from './opentofu-login.ts';
import { makeTempFolder, sweepTempFolders } from './temp-folder.ts';
import { hasModule, type ModuleAccess, openWorkspace, type SavedPlan, type Workspace, type WorkspaceOptions } from './workspace.ts';

const sweepMs = 60_000;

const planFor = (module: string, { key }: Access, steps: readonly string[]): string[] => [
  `Apply the module ${module} under the name ${key}`,
  ...steps,
  'At the end: destroy all that it has made',
];

/** What is not understood is neither worked with nor thrown away. Throws a ConnectorError. */
const mustBeReadable = ({ readable }: Standing): void => {
  if (readable) return;
  throw new ConnectorError(
    'failed',
    'The database for states has something for this access that is no state, or a newer one: what was there has to be put back, or the row removed',
  );
};

/** What is said of a failure after which something may have been changed. */
const unsure = (cause: unknown): ConnectorError =>
  new ConnectorError('unknown', cause instanceof ConnectorError ? cause.message : 'It is not known what the module has done', cause);

/**
 * The plan to apply: as it was approved. When the program cannot read that any more, since it was replaced by another version, it is made
 * anew and has to change the same; when the state has moved on since, it is made anew and may take nothing more.
 */
const planToApply = async (workspace: Workspace, access: Access, { fresh }: Standing, signal: AbortSignal): Promise<SavedPlan> => {
  if (access.savedPlan === null) return workspace.plan(signal);
  const approved = JSON.parse(access.savedPlan) as SavedPlan;
  if (fresh && (await workspace.canRead(approved, signal))) return approved;
  if (fresh) {
    const plan = await workspace.plan(signal, approved.variables);
    if (isDeepStrictEqual(plan.changes, approved.changes)) return plan;
    throw new ConnectorError(
      'refused',
      'The program that runs modules is another one than at the approval, and would not do the same any more: please ask for the access anew',
    );
  }
  const plan = await workspace.plan(signal);
  const more = plan.steps.filter((step) => !approved.steps.includes(step));
  if (more.length > 0) throw new ConnectorError('refused', `What was approved would now take more than that: ${more.join('; ')}`);
  return plan;
};

/** Applies a plan; until it is known that the state has what was made, a mark says that it may not. */
const applyMarked = async (workspace: Workspace, ledger: Ledger, access: Access, plan: SavedPlan, signal: AbortSignal): Promise<void> => {
  await ledger.begin(access, plan.steps, signal);
  const failure = await workspace.apply(plan, signal);
  if (!failure || failure.isSaved) {
    await ledger.finish(access, signal).catch((cause: unknown) => {
      throw unsure(cause);
    });
  }
  if (failure) throw failure.error;
};

/**
 * What a run had made when it was cut off may be missing from the state. Made again it is found, and can be destroyed. Answers why it was
 * not found; the mark stays then.
 */
const findLost = async (workspace: Workspace, signal: AbortSignal): Promise<Error | undefined> => {
  try {
    return (await workspace.apply(await workspace.plan(signal), signal))?.error;
  } catch (error) {
    return error instanceof Error ? error : unsure(error);
  }
};

/**
 * Gives access by modules of OpenTofu or Terraform: applies one per grant with a state of its own, and destroys what it has made at the
 * end. What modules have to keep to is in docs/connectors.md.
 */
export const createOpentofuConnector = (logins: Logins<OpentofuLogin>): Connector => {
  const databases = new Map<string, Target>();
  const working = new Set<Promise<unknown>>();
  const turns = new Map<string, Promise<unknown>>();
  let plugins: Promise<string> | undefined;
  // Others that share the temporary folder with this process may end at any time.
  const sweep = () => void sweepTempFolders().catch(() => undefined);
  const sweeping = logins.size > 0 ? setInterval(sweep, sweepMs).unref() : undefined;
  if (sweeping) sweep();

  /** Of one module one at a time: not every program can share what it has downloaded with another run of it. */
  const turnsOf =
    (module: string): WorkspaceOptions['inTurn'] =>
    (work) => {
      const mine = (turns.get(module) ?? Promise.resolve()).then(work);
      turns.set(
        module,
        mine.catch(() => undefined),
      );
      return mine;
    };

  const ledgerOf = ({ name, settings }: Login<OpentofuLogin>): Ledger => {
    const database = databases.get(name) ?? createTarget(name, settings.STATE_URL);
    databases.set(name, database);
    return createLedger(database);
  };

  const open = (access: Access, loginOf: typeof loginOfGiven = loginFor) => {
    const config = readConfig(opentofuConfig, access);
    const login = loginOf(logins, config.login, access);
    return { config, settings: login.settings, ledger: ledgerOf(login) };
  };

  const inWorkspace = async <T>(
    options: Pick<WorkspaceOptions, 'settings' | 'config'>,
    access: ModuleAccess,
    work: (workspace: Workspace) => Promise<T>,
  ): Promise<T> => {
    plugins ??= makeTempFolder('plugins');
    const { login, module } = options.config;
    const own = `${login}.${module}`;
    const workspace = await openWorkspace({ ...options, plugins: join(await plugins, own), inTurn: turnsOf(own) }, access);
    // Nobody waits for a call whose time is up, but its programs have to end before this process does.
    const done = work(workspace).finally(() => workspace.remove());
    working.add(done);
    return done.finally(() => working.delete(done));
  };

  return {
    deadlineMs: (config) => (opentofuConfig.safeParse(config).data?.timeoutSeconds ?? 20) * 1000,

    planTakesTime: () => true,

    plan: async (access, signal) => {
      const { config, settings, ledger } = open(access);
      const { steps } = await ledger.standing(access.key, signal);
      if (steps) return { steps: planFor(config.module, access, steps) };
      try {
        mustBeReadable(await ledger.prepare(access.key, signal));
        return await inWorkspace({ settings, config }, access, async (workspace) => {
          await workspace.init(signal);
          const plan = await workspace.plan(signal);
          return { steps: planFor(config.module, access, plan.steps), saved: JSON.stringify(plan) };
        });
      } finally {
        // Also when time is up. What stays is empty.
        await ledger.tidy(access.key, AbortSignal.timeout(4000)).catch(() => undefined);
      }
    },

    apply: async (access, signal) => {
      const { config, settings, ledger } = open(access);
      const standing = await ledger.claimPresence(access, signal);
      mustBeReadable(standing);
      return inWorkspace({ settings, config }, access, async (workspace) => {
        await workspace.init(signal);
        await applyMarked(workspace, ledger, access, await planToApply(workspace, access, standing, signal), signal);
        const credential = await workspace.credential(signal).catch((cause: unknown) => {
          throw cause instanceof ConnectorError && cause.kind === 'refused' ? cause : unsure(cause);
        });
        return { handle: { module: config.module, workspace: access.key }, credential };
      });
    },

    verify: async (access, signal) => {
      const { config, settings, ledger } = open(access, loginOfGiven);
      const { interrupted, exists } = await ledger.standing(access.key, signal);
      if (interrupted || exists) return true;
      return inWorkspace({ settings, config }, access, async (workspace) => (await workspace.check(signal)) ?? false);
    },

    revoke: async (access, signal) => {
      const { config, settings, ledger } = open(access, loginOfGiven);
      const standing = await ledger.claimAbsence(access, signal);
      // A later worker was here; or nothing was ever begun.
      if (!standing || (!standing.exists && !standing.interrupted)) return;
      mustBeReadable(standing);
      if (standing.fresh && !standing.interrupted) return ledger.removeState(access, signal);
      await ledger.prepare(access.key, signal);
      await inWorkspace({ settings, config }, access, async (workspace) => {
        await workspace.init(signal);
        // Half of the time, so that what is known is destroyed even when that takes too long.
        const half = AbortSignal.any([signal, AbortSignal.timeout(config.timeoutSeconds * 500)]);
        const lost = standing.interrupted ? await findLost(workspace, half) : undefined;
        const failure = await workspace.apply(await workspace.planEnd(signal), signal);
        if (failure) throw failure.error;
        if (lost && (await workspace.check(signal)) !== false) throw lost;
        await ledger.removeState(access, signal);
      });
    },

    check: async (trial, signal) => {
      const config = opentofuConfig.parse(trial.config);
      return tryLogin(logins, config.login, trial, async (login) => {
        const { settings } = login;
        await ledgerOf(login).list(signal);
        if (!(await hasModule(settings, config))) return [{ pointer: '/module', message: 'is no module of this login' }];
        // It is not applied: whom it would be for does not matter.
        const nobody = { key: 'check', role: '', holderId: '', tenantId: '', resourceKey: '', parameters: {} };
        try {
          await inWorkspace({ settings, config }, nobody, (workspace) => workspace.validate(signal));
          return [];
        } catch (error) {
          if (error instanceof ConnectorError) return [{ pointer: '/module', message: error.message }];
          throw error;
        }
      });
    },

    list: async (site, signal) => {
      return listBy(logins, readConfig(opentofuConfig, site).login, site, async (login) =>
        (await ledgerOf(login).list(signal)).map(({ key, inForce }) => ({ key, name: key, kind: 'state', inForce })),
      );
    },

    close: async () => {
      clearInterval(sweeping);
      await Promise.allSettled(working);
      await Promise.all([...databases.values()].map((database) => database.close()));
      if (plugins) await rm(await plugins, { recursive: true, force: true });
    },
  };
};
