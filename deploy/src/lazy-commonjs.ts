import { pathToFileURL } from 'node:url';
import type { Plugin } from 'esbuild';

/** The names that Node exports from a CommonJS file; undefined when it is none. */
const namesOf = async (path: string): Promise<string[] | undefined> => {
  const names = Object.keys(await import(pathToFileURL(path).href));
  return names.includes('module.exports') ? names.filter((name) => name !== 'default' && /^[A-Za-z_$][\w$]*$/.test(name)) : undefined;
};

/**
 * A CommonJS package that our code loads by `import()` has the same exports in a bundle as with Node: in a file of its own esbuild would
 * leave it only `default`.
 */
export const lazyCommonJs: Plugin = {
  name: 'lazy CommonJS',
  setup({ onResolve, onLoad, resolve }) {
    onResolve({ filter: /^[@a-z]/ }, async ({ path, kind, importer, resolveDir, pluginData }) => {
      if (kind !== 'dynamic-import' || pluginData === lazyCommonJs || importer.includes('node_modules') || path.startsWith('node:')) return;
      const found = await resolve(path, { kind, importer, resolveDir, pluginData: lazyCommonJs });
      if (found.external || found.errors.length > 0) return found;
      const names = await namesOf(found.path);
      return names && { path: found.path, namespace: 'lazy-commonjs', pluginData: { names, resolveDir } };
    });
    onLoad({ filter: /./, namespace: 'lazy-commonjs' }, ({ path, pluginData }) => {
      const { names, resolveDir } = pluginData as { names: string[]; resolveDir: string };
      return {
        contents: `const whole = require(${JSON.stringify(path)});\nexport default whole;\nexport const { ${names.join(', ')} } = whole;`,
        resolveDir,
      };
    });
  },
};
