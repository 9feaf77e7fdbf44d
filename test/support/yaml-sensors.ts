import { CATALOG } from '../../activities/catalog.ts';
import { createActivities } from '../../activities/run/create-activities.ts';
import type { Environment } from '../../lib/environment.ts';
import { taskDependencies } from './task-dependencies.ts';
import { TestSensors } from './test-sensors.ts';

/** A worker that runs every task type and every sensor, for pipelines that are written as YAML. */
export function startYamlSensors(environment: Environment): Promise<TestSensors> {
  return TestSensors.start(environment, createActivities(CATALOG, taskDependencies(environment)));
}
