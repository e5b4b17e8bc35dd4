import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { expect, it } from 'vitest';
import { lazyCommonJs } from './lazy-commonjs.ts';

it('when a CommonJS package is loaded where it is used, then a bundle finds the names in it that Node finds', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'accessops-lazy-'));
  try {
    const write = (path: string, text: string) => {
      mkdirSync(join(folder, path, '..'), { recursive: true });
      writeFileSync(join(folder, path), text);
    };
    write('node_modules/old/package.json', '{ "name": "old", "main": "index.js" }');
    write('node_modules/old/index.js', 'class Old {} module.exports = Old; exports = module.exports; exports.Named = class Named {};');
    write('package.json', '{ "type": "module" }');
    write('main.js', `const { default: Old, Named } = await import('old'); console.log(Old.name, Named.name, Old.Named === Named);`);
    const run = (path: string) => execFileSync(process.execPath, [join(folder, path)], { encoding: 'utf8' });
    await build({
      entryPoints: [join(folder, 'main.js')],
      outdir: join(folder, 'out'),
      bundle: true,
      splitting: true,
      platform: 'node',
      format: 'esm',
      plugins: [lazyCommonJs],
    });
    rmSync(join(folder, 'node_modules'), { recursive: true });
    expect(run('out/main.js')).toBe('Old Named true\n');
  } finally {
    rmSync(folder, { recursive: true });
  }
});
