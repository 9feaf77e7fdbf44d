import { readdirSync } from 'node:fs';
import { parse } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { DataConverter } from '@temporalio/common';
import type { BundleOptions } from '@temporalio/worker';
import { keptBundle, type WorkflowCode } from './kept-bundle.ts';

/** The modules whose exports are the workflows: of the workers that run pipelines, and of the monitors. */
export type WorkflowModule = 'index' | 'monitors';

/**
 * What keeps nothing of a run: evaluated once a worker instead of once a run. That spares a run of three tasks 3 of the 24 ms of CPU that it
 * costs its worker. Nothing in these rooms may import the SDK (eslint.config.mjs), so none can hold on to a run.
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
 * The workflows as workers load them into the sandbox; made once a process, and once for all processes until their code changes.
 * @param converter how the sandbox makes payloads of failures; absent: as the SDK does
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
 * The SDK has TypeScript compiled for engines that do not know `{ ...object }`, and what stands in its place is twenty times slower: it took a
 * quarter of the time of a list of 10,000 items in batches of 100.
 */
function compileForThisNode(config: WebpackConfiguration): WebpackConfiguration {
  const rules = (config.module?.rules ?? []) as { use?: { options?: { jsc?: { target?: string } } } }[];
  for (const { use } of rules) if (use?.options?.jsc) use.options.jsc.target = 'es2022';
  return config;
}

function pathOf(name: string): string {
  return fileURLToPath(new URL(`../../workflows/${name}.ts`, import.meta.url));
}
