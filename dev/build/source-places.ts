import { readFile } from 'node:fs/promises';
import { relative } from 'node:path';
import type { Plugin } from 'esbuild';
import { ROOT } from '../../lib/environment.ts';

/** Text before a CommonJS bundle: it has no `import.meta`. */
export const SOURCE_PLACES_BANNER = `const __sourceUrl = (path) => require('node:url').pathToFileURL(__dirname + path).href;`;

/**
 * Makes `import.meta.url` the place of the source in dist/: dist/ has the files that modules find relative to themselves at the same paths
 * as the repository. All bundles are directly in dist/. A CommonJS bundle needs SOURCE_PLACES_BANNER.
 */
export function sourcePlaces(format: 'esm' | 'cjs'): Plugin {
  return {
    name: 'source-places',
    setup(build) {
      build.onLoad({ filter: /\.(ts|mjs)$/ }, async ({ path }) => {
        if (path.includes('node_modules')) return undefined;
        const text = await readFile(path, 'utf8');
        const [other] = /\bimport\.meta\.(?!url\b)\w+/.exec(text) ?? [];
        if (other !== undefined) throw new Error(`${path} uses ${other}; in the package only import.meta.url has a meaning.`);
        if (!text.includes('import.meta.url')) return undefined;
        const file = relative(ROOT, path);
        const url = format === 'esm' ? `new URL('./${file}', import.meta.url).href` : `__sourceUrl('/${file}')`;
        return { contents: text.replaceAll('import.meta.url', url), loader: path.endsWith('.ts') ? 'ts' : 'js' };
      });
    },
  };
}
