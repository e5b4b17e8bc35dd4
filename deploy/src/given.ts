import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { configFrom as gateway } from '../../gateway/src/config.ts';
import { configFrom as approvals } from '../../services/approvals/src/config.ts';
import { configFrom as audit } from '../../services/audit/src/config.ts';
import { configFrom as identity } from '../../services/identity/src/config.ts';
import { configFrom as provisioner } from '../../services/provisioner/src/config.ts';
import { configFrom as requests } from '../../services/requests/src/config.ts';
import { type Holder, secretFiles } from './secret-files.ts';

type Environment = Record<string, string>;

/** What a container is given: its variables, and the holders whose secrets it mounts, by path. */
export interface Given {
  environment: Environment;
  mounts: Record<string, string>;
}

/** What reads the environment of each process. */
export const configs = { gateway, identity, requests, approvals, provisioner, audit };

/** The secrets of a platform in a folder of their own, for processes that are configured as in their containers. */
export class TrialSecrets {
  readonly folder = mkdtempSync(join(tmpdir(), 'accessops-deploy-'));
  readonly files: Record<Holder, Record<string, string>>;

  constructor() {
    this.files = secretFiles(this.folder);
    for (const [holder, files] of Object.entries(this.files)) {
      mkdirSync(join(this.folder, 'run', holder), { recursive: true });
      for (const [name, text] of Object.entries(files)) writeFileSync(join(this.folder, 'run', holder, name), text);
    }
  }

  /** The configuration that a process makes of what it is given; throws a ConfigError, as the process would. */
  configure<N extends keyof typeof configs>(name: N, { environment, mounts }: Given): ReturnType<(typeof configs)[N]> {
    const here = (value: string) =>
      Object.entries(mounts).reduce((path, [mount, holder]) => path.replace(`${mount}/`, `${join(this.folder, 'run', holder)}/`), value);
    // The commit is in the image.
    const env = {
      ACCESSOPS_COMMIT: 'a commit',
      ...Object.fromEntries(Object.entries(environment).map(([key, value]) => [key, here(value)])),
    };
    return configs[name](env) as ReturnType<(typeof configs)[N]>;
  }

  remove(): void {
    rmSync(this.folder, { recursive: true });
  }
}
