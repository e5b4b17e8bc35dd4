import { cpSync, mkdirSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { services } from '@accessops/events/topology';
import { knownMigrations } from '@accessops/service';
import { build, type Plugin } from 'esbuild';
import { lazyCommonJs } from './lazy-commonjs.ts';
import { packageFolders, sbomOf } from './sbom.ts';

const root = join(import.meta.dirname, '../..');

interface Program {
  /** Name of the program's file, without `.js`, and its source. */
  entries: Record<string, string>;
  /** Packages that no bundle can hold, because they are native or are read as files; whose they are, and the files needed. */
  unbundled?: { package: string; of: string[]; files?: string[] }[];
}

const healthcheck = join(root, 'deploy/healthcheck.ts');

const server = (folder: string, unbundled?: Program['unbundled']): Program => ({
  entries: { main: join(root, folder, 'main.ts'), healthcheck },
  unbundled,
});

const argon2 = `@node-rs/argon2-${process.platform}-${process.arch}${process.platform === 'linux' ? '-gnu' : ''}`;

/** What is in each image. */
export const programs: Record<string, Program> = {
  ...Object.fromEntries(services.map((service) => [service, server(`services/${service}`)])),
  identity: server('services/identity', [{ package: argon2, of: ['services/identity', '@node-rs/argon2'] }]),
  gateway: server('gateway', [
    { package: 'swagger-ui-dist', of: ['gateway'], files: ['package.json', 'swagger-ui.css', 'swagger-ui-bundle.js', 'LICENSE'] },
  ]),
  migrate: {
    entries: {
      main: join(root, 'deploy/migrate.ts'),
      'await-schema': join(root, 'deploy/await-schema.ts'),
      secrets: join(root, 'deploy/secrets.ts'),
      'dev-ca': join(root, 'deploy/dev-ca.ts'),
      'keycloak-database': join(root, 'deploy/keycloak-database.ts'),
      demo: join(root, 'deploy/demo.ts'),
      recover: join(root, 'deploy/recover.ts'),
    },
  },
};

/** The migrations of all services as one module, since a bundle has no folder of them. */
const migrations: Plugin = {
  name: 'migrations',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^accessops:migrations$/ }, () => ({ path: 'migrations', namespace: 'accessops' }));
    onLoad({ filter: /^migrations$/, namespace: 'accessops' }, () => {
      const files = services.flatMap((service) =>
        readdirSync(join(root, 'services', service, 'migrations'))
          .filter((file) => file.endsWith('.ts'))
          .toSorted()
          .map((file) => ({ service, file })),
      );
      const imports = files.map(
        ({ service, file }, n) => `import * as m${n} from ${JSON.stringify(`./services/${service}/migrations/${file}`)};`,
      );
      const lists = services.map((service) => {
        const own = files.flatMap(({ service: owner, file }, n) =>
          owner === service ? [`{ name: ${JSON.stringify(file.replace(/\.ts$/, ''))}, class: Object.values(m${n})[0] }`] : [],
        );
        return `${service}: [${own.join(', ')}]`;
      });
      return { contents: `${imports.join('\n')}\nexport default { ${lists.join(', ')} };`, resolveDir: root, loader: 'js' };
    });
  },
};

/** What a service knows of its migrations, as a list instead of its folder. */
const migrationNames: Plugin = {
  name: 'names of migrations',
  setup({ onLoad }) {
    onLoad({ filter: /packages\/service\/src\/known-migrations\.ts$/ }, () => {
      const names = Object.fromEntries(services.map((service) => [service, knownMigrations(service)]));
      return {
        contents: `const names = ${JSON.stringify(names)}; export const knownMigrations = (service) => names[service];`,
        loader: 'js',
      };
    });
  },
};

/** grpc-health-check reads its contract from a file beside its code, which is then beside the bundle. */
const healthContract = (target: string): Plugin => ({
  name: 'health contract',
  setup({ onLoad }) {
    onLoad({ filter: /grpc-health-check\/build\/src\/health\.js$/ }, ({ path }) => {
      cpSync(join(dirname(path), '../../proto'), join(target, 'proto'), { recursive: true });
      return { contents: readFileSync(path, 'utf8').replace('/../../proto`', '/proto`'), loader: 'js' };
    });
  },
});

// What CommonJS code inside an ES module still asks for.
const banner = [
  `import { createRequire as __createRequire } from 'node:module';`,
  'const require = __createRequire(import.meta.url), __dirname = import.meta.dirname, __filename = import.meta.filename;',
].join(' ');

/** In each bundle: what it is made of. */
export const sbomFile = 'sbom.cdx.json';

/** Makes the folder `<target>/<name>` that runs by `node main.js`, with nothing around it. */
export const bundle = async (name: string, target: string): Promise<void> => {
  const program = programs[name];
  if (!program) throw new Error(`there is no ${name}: there are ${Object.keys(programs).join(', ')}`);
  const outdir = join(target, name);
  rmSync(outdir, { recursive: true, force: true });
  mkdirSync(outdir, { recursive: true });
  writeFileSync(join(outdir, 'package.json'), `${JSON.stringify({ name: `accessops-${name}`, private: true, type: 'module' })}\n`);
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: program.entries,
    outdir,
    bundle: true,
    // What is loaded only where it is used stays in files of its own until then, beside the others: some look around where they are.
    splitting: true,
    chunkNames: '[name]-[hash]',
    // For what is shared with `npm start`, whose own packages are not installed where images are built.
    nodePaths: [join(root, 'deploy/node_modules')],
    platform: 'node',
    target: 'node24',
    format: 'esm',
    banner: { js: banner },
    // Names stand in logs and stack traces.
    keepNames: true,
    legalComments: 'none',
    external: [...(program.unbundled ?? []).map(({ package: external }) => external), ...neverLoaded],
    plugins: [migrations, migrationNames, healthContract(outdir), lazyCommonJs],
    metafile: true,
    logLevel: 'warning',
    logOverride: { 'direct-eval': 'silent' },
  });
  const folders = packageFolders(metafile);
  for (const { package: external, of, files } of program.unbundled ?? []) {
    const [owner = '', ...through] = of;
    const folder = [...through, external].reduce(
      (from, name) => dirname(createRequire(realpathSync(join(from, 'package.json'))).resolve(`${name}/package.json`)),
      join(root, owner),
    );
    const copy = join(outdir, 'node_modules', external);
    const wanted = (path: string) => !files || path === folder || files.includes(relative(folder, path));
    cpSync(folder, copy, { recursive: true, dereference: true, filter: wanted });
    folders.push(folder);
  }
  writeFileSync(join(outdir, sbomFile), sbomOf(name, folders));
};

// Asked for by libraries only when somebody uses what we do not.
const neverLoaded = ['pg-native', 'cpu-features', '*/sshcrypto.node', '@mikro-orm/sqlite', '@mikro-orm/libsql', '@mikro-orm/better-sqlite'];
