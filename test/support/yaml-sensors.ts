import { CATALOG } from '../../activities/catalog.ts';
import { createActivities } from '../../activities/run/create-activities.ts';
import { Compiler } from '../../compiler/compile.ts';
import type { Environment } from '../../lib/environment.ts';
import type { Plan } from '../../workflows/plan/plan.ts';
import { taskDependencies } from './task-dependencies.ts';
import { TestSensors } from './test-sensors.ts';

/** The plan of a pipeline file. @throws Error with its diagnostics when it has mistakes */
export function compileYaml(text: string): Plan {
  const { plan, diagnostics } = new Compiler(CATALOG).compile({ file: 'case.yaml', text });
  if (!plan) throw new Error(JSON.stringify(diagnostics, undefined, 2));
  return plan;
}

/** A worker that runs every task type and every sensor, for pipelines that are written as YAML. */
export function startYamlSensors(environment: Environment): Promise<TestSensors> {
  return TestSensors.start(environment, createActivities(CATALOG, taskDependencies(environment)));
}
