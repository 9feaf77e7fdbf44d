// Plain JavaScript: the `sluice` command runs it first.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundleOf } from './bundle.mjs';
import { root } from './install-packages.mjs';
import { runCompiled } from './run-compiled.mjs';

/**
 * How esbuild bundles cli.ts.
 * @type {import('esbuild').BuildOptions}
 */
export const CLI_BUNDLE = {
  format: 'cjs',
  // Commands are loaded when called, and external packages from node_modules.
  supported: { 'dynamic-import': false },
  minifyWhitespace: true,
  minifySyntax: true,
  // Large or native packages, loaded by the commands that need them, and those that few deployments have.
  external: [
    '@temporalio/*',
    '@aws-sdk/*',
    'pg',
    'pg-copy-streams',
    'kafkajs',
    'protobufjs',
    'typescript',
    'esbuild',
    ...Object.keys(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).peerDependencies),
  ],
};

/**
 * Runs the command in this process from its bundle: loading and compiling hundreds of TypeScript modules takes two seconds per start.
 * @returns {Promise<boolean>} false if there is no bundle
 */
export async function runCliBundle() {
  const file = await bundleOf(join(process.env.SLUICE_HOME ?? join(root, '.sluice'), 'cache'), 'cli.ts', CLI_BUNDLE);
  if (file === undefined) return false;
  runCompiled(file, join(root, 'cli.ts'));
  return true;
}
