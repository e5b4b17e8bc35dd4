import { randomBytes } from 'node:crypto';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { findCerbos, prepareCerbos } from './cerbos.ts';
import { bundlePolicies, linkBundle, type PolicyBundle } from './policy-bundle.ts';
import type { PolicyNews } from './policy-news.ts';
import type { ReservedPort } from './ports.ts';
import { runProgram } from './run-program.ts';
import { StartError } from './start-error.ts';
import type { ProcessSpec } from './supervise.ts';

export interface PolicyServerOptions {
  /** The folder that people change. */
  source: string;
  /** Where bundles are kept. */
  directory: string;
  configFile: string;
  grpcPort: ReservedPort;
  httpPort: ReservedPort;
  news: PolicyNews;
}

/** A Cerbos that serves bundles of policies, one at a time. */
export interface PolicyServer {
  spec: ProcessSpec;
  /**
   * Serves the policies as they are in the source now, and answers their version. Calls go on meanwhile. A bundle that Cerbos does not
   * take is refused by a StartError, and the old one stays.
   */
  reload(): Promise<string>;
}

/** What is wrong with a bundle, as Cerbos says it; throws a StartError. */
const checkBundle = async ({ directory }: PolicyBundle): Promise<void> => {
  const { code, output } = await runProgram(findCerbos(), ['compile', '--no-color', directory]);
  if (code !== 0) throw new StartError(`The policies are refused: ${output.trim()}`);
};

const somebodyWhoMayAsk = {
  id: 'platform',
  roles: ['user', 'platform-admin'],
  attr: { type: 'user', tenantId: '', audience: 'admin', orgRoles: [], realmRoles: ['platform-admin'] },
};
const versionQuestion = JSON.stringify({
  principal: somebodyWhoMayAsk,
  resources: [{ actions: ['read_version'], resource: { kind: 'policy', policyVersion: 'route', id: 'route' } }],
});
interface VersionAnswer {
  results?: { outputs?: { val?: { version?: string } }[] }[];
}

// Cerbos stands still while it loads, which takes a second on two idle processors, and much longer on busy ones.
const loadedWithinMs = 60_000;

/** Prepares a Cerbos that changes its policies only when told to. */
export const preparePolicyServer = ({ source, directory, configFile, grpcPort, httpPort, news }: PolicyServerOptions): PolicyServer => {
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  const current = join(directory, 'current');
  let bundle = bundlePolicies(source, directory);
  linkBundle(bundle, current);
  const adminPassword = randomBytes(24).toString('base64url');
  const spec = prepareCerbos({ policies: current, configFile, grpcPort, httpPort, adminPassword });
  const address = `http://127.0.0.1:${httpPort.port}`;

  const loadedVersion = async (): Promise<string | undefined> => {
    const response = await fetch(`${address}/api/check/resources`, {
      method: 'POST',
      body: versionQuestion,
      signal: AbortSignal.timeout(loadedWithinMs),
    });
    const { results } = (await response.json()) as VersionAnswer;
    return results?.[0]?.outputs?.[0]?.val?.version;
  };

  /** Answers when Cerbos decides by the bundle. */
  const load = async (wanted: PolicyBundle): Promise<void> => {
    linkBundle(wanted, current);
    const authorization = `Basic ${Buffer.from(`platform:${adminPassword}`).toString('base64')}`;
    const { ok, status } = await fetch(`${address}/admin/store/reload?wait=true`, { headers: { authorization } });
    if (!ok) throw new StartError(`The policies are refused: Cerbos answers ${status}.`);
    for (const deadline = Date.now() + loadedWithinMs; (await loadedVersion()) !== wanted.version; await delay(20)) {
      if (Date.now() > deadline) throw new StartError('Cerbos does not serve the new policies.');
    }
  };

  const reload = async (): Promise<string> => {
    const next = bundlePolicies(source, directory);
    if (next.version === bundle.version) return bundle.version;
    await checkBundle(next);
    await news.changing();
    try {
      await load(next);
    } catch (error) {
      await load(bundle);
      throw error;
    }
    bundle = next;
    await news.changed(next.version);
    return next.version;
  };

  // One after the other: the last change wins.
  let last: Promise<unknown> = Promise.resolve();
  return {
    // The first decision takes longest; nobody else is to wait for it.
    spec: { ...spec, answers: async () => (await loadedVersion()) === bundle.version },
    reload: () => {
      const running = last.then(reload);
      last = running.catch(() => undefined);
      return running;
    },
  };
};
