import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, Runtime, type WorkflowBundleWithSourceMap } from '@temporalio/worker';

/** The modules whose exports are the workflows: of the workers that run pipelines, and of the monitors. */
export type WorkflowModule = 'index' | 'monitors';

/**
 * What the interpreter is made of, and what keeps nothing of a run: evaluated once a worker instead of once a run. That spares a run of three
 * tasks 3 of the 24 ms of CPU that it costs its worker. None of it may import the SDK (eslint.config.mjs), so none can hold on to a run.
 */
const PRELOADED = [pathOf('run/pipeline-run'), pathOf('plan/describe')];

const bundles = new Map<WorkflowModule, Promise<WorkflowBundleWithSourceMap>>();

/** The workflows as workers load them into the sandbox; bundled once a process. */
export function workflowBundle(module: WorkflowModule): Promise<WorkflowBundleWithSourceMap> {
  let bundle = bundles.get(module);
  if (!bundle) {
    const preloadModules = module === 'index' ? PRELOADED : [];
    bundle = bundleWorkflowCode({ workflowsPath: pathOf(module), preloadModules, logger: Runtime.instance().logger });
    bundles.set(module, bundle);
  }
  return bundle;
}

function pathOf(name: string): string {
  return fileURLToPath(new URL(`../workflows/${name}.ts`, import.meta.url));
}
