import { spawnSync } from 'node:child_process';
import { cp, mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { DefaultLogger, Runtime } from '@temporalio/worker';
import { build } from 'esbuild';
import { ROOT } from '../../lib/environment.ts';
import { ENCODED_FAILURES } from '../../temporal/codec/codec.ts';
import { prebuiltBundle, workflowBundle, type WorkflowModule } from '../../temporal/worker/workflow-bundle.ts';
import { CLI_BUNDLE } from '../launch/cli-bundle.mjs';
import { leavePackages } from '../launch/bundle.mjs';
import { SOURCE_PLACES_BANNER, sourcePlaces } from './source-places.ts';

/**
 * `npm run build`: makes dist/, which `npm pack` packs. JavaScript in bundles, the types of the public API, the workflows as workers load
 * them into the sandbox, and the files that modules find relative to themselves.
 */

const DIST = join(ROOT, 'dist');

/** The modules that are imported or started, by their names in dist/. They share their code, so that a class is the same in all of them. */
const MODULES = {
  index: 'index.ts',
  testing: 'testing.ts',
  launch: 'dev/launch/installed.mjs',
  worker: 'worker.ts',
  scheduler: 'scheduler.ts',
  dev: 'dev/dev-cli.ts',
  stack: 'dev/stack-cli.ts',
};

/** The files and folders that modules find relative to themselves, or that are started as programs. */
const FILES = [
  'activities/spark/launcher.mjs',
  'activities/support/programs/process-table.mjs',
  'dev/servers/pins',
  'workflows/encoded-failures.cjs',
];

const COMMON = { absWorkingDir: ROOT, bundle: true, platform: 'node', target: 'node20', logLevel: 'warning' } as const;

async function buildModules(): Promise<void> {
  await build({
    ...COMMON,
    entryPoints: MODULES,
    outdir: DIST,
    format: 'esm',
    splitting: true,
    plugins: [sourcePlaces('esm'), { name: 'packages', setup: leavePackages }],
  });
  await build({
    ...COMMON,
    ...CLI_BUNDLE,
    entryPoints: ['cli.ts'],
    outfile: join(DIST, 'cli.cjs'),
    banner: { js: SOURCE_PLACES_BANNER },
    plugins: [sourcePlaces('cjs')],
  });
}

async function buildWorkflows(): Promise<void> {
  Runtime.install({ logger: new DefaultLogger('WARN') });
  const modules: readonly WorkflowModule[] = ['index', 'monitors'];
  for (const module of modules)
    for (const converter of [{}, { failureConverterPath: ENCODED_FAILURES }]) {
      const file = join(DIST, prebuiltBundle(module, converter));
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, (await workflowBundle(module, converter)).code);
    }
}

function buildTypes(): void {
  const { status } = spawnSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json'], {
    cwd: ROOT,
    stdio: 'inherit',
  });
  if (status !== 0) throw new Error('The types of the public API do not compile.');
}

await rm(DIST, { recursive: true, force: true });
await buildModules();
for (const file of FILES) await cp(join(ROOT, file), join(DIST, file), { recursive: true });
await buildWorkflows();
buildTypes();
// The SDK's runtime would keep the process alive.
process.exit();
