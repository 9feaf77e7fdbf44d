import { readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { parse } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { DataConverter } from '@temporalio/common';
import type { BundleOptions } from '@temporalio/worker';
import { keptBundle, type WorkflowCode } from './kept-bundle.ts';

/** The modules that export workflows: those of pipeline workers, and those of monitors. */
export type WorkflowModule = 'index' | 'monitors';

/**
 * Stateless modules, evaluated once per worker instead of once per run: for a run of three tasks this saves 3 of 24 ms of CPU. They must
 * not import the SDK (eslint.config.mjs), so that they cannot keep state of a run.
 */
function preloaded(): string[] {
  return ['plan', 'run'].flatMap((room) =>
    readdirSync(new URL(`../../workflows/${room}/`, import.meta.url), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts'))
      .map((file) => pathOf(`${room}/${file.slice(0, -'.ts'.length)}`)),
  );
}

const bundles = new Map<string, Promise<WorkflowCode>>();

/** How the sandbox converts failures to payloads; absent: the SDK's default. */
type Converter = Pick<DataConverter, 'failureConverterPath'>;

/**
 * Returns the workflows as workers load them into the sandbox. A published package contains them; a clone bundles its sources once, and
 * caches the bundle for all processes until the code changes.
 */
export function workflowBundle(module: WorkflowModule, converter: Converter = {}): Promise<WorkflowCode> {
  const name = bundleName(module, converter);
  let bundle = bundles.get(name);
  if (!bundle) {
    bundle = readPrebuilt(module, converter).then(
      (code) => code ?? keptBundle(name, () => bundleModule(module, converter.failureConverterPath)),
    );
    bundles.set(name, bundle);
  }
  return bundle;
}

/** The path of a bundle in a published package, relative to its compiled files. */
export function prebuiltBundle(module: WorkflowModule, converter: Converter = {}): string {
  return `workflows/${bundleName(module, converter)}.bundle.js`;
}

async function readPrebuilt(module: WorkflowModule, converter: Converter): Promise<WorkflowCode | undefined> {
  const file = new URL(`../../${prebuiltBundle(module, converter)}`, import.meta.url);
  const code = await readFile(file, 'utf8').catch(() => undefined);
  return code === undefined ? undefined : { code };
}

function bundleName(module: WorkflowModule, { failureConverterPath: path }: Converter): string {
  return path === undefined ? module : `${module}-${parse(path).name}`;
}

async function bundleModule(module: WorkflowModule, failureConverterPath: string | undefined): Promise<WorkflowCode> {
  const { bundleWorkflowCode, Runtime } = await import('@temporalio/worker');
  return bundleWorkflowCode({
    workflowsPath: pathOf(module),
    preloadModules: module === 'index' ? preloaded() : [],
    workflowInterceptorModules: [pathOf('refuse-unreadable')],
    ...(failureConverterPath !== undefined && { failureConverterPath }),
    webpackConfigHook: compileForThisNode,
    logger: Runtime.instance().logger,
  });
}

type WebpackConfiguration = Parameters<NonNullable<BundleOptions['webpackConfigHook']>>[0];

/**
 * The SDK compiles TypeScript for engines without `{ ...object }`, and its replacement is twenty times slower: it took a quarter of the
 * time for a list of 10,000 items in batches of 100.
 */
function compileForThisNode(config: WebpackConfiguration): WebpackConfiguration {
  const rules = (config.module?.rules ?? []) as { use?: { options?: { jsc?: { target?: string } } } }[];
  for (const { use } of rules) if (use?.options?.jsc) use.options.jsc.target = 'es2022';
  return config;
}

function pathOf(name: string): string {
  return fileURLToPath(new URL(`../../workflows/${name}.ts`, import.meta.url));
}
