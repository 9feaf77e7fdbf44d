import { readdirSync } from 'node:fs';
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

/**
 * Bundles the workflows as workers load them into the sandbox; once per process, and cached for all processes until the code changes.
 * @param converter how the sandbox converts failures to payloads; absent: the SDK's default
 */
export function workflowBundle(module: WorkflowModule, converter: Pick<DataConverter, 'failureConverterPath'> = {}): Promise<WorkflowCode> {
  const { failureConverterPath } = converter;
  const key = failureConverterPath === undefined ? module : `${module}-${parse(failureConverterPath).name}`;
  let bundle = bundles.get(key);
  if (!bundle) {
    bundle = keptBundle(key, () => bundleModule(module, failureConverterPath));
    bundles.set(key, bundle);
  }
  return bundle;
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
