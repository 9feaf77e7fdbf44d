import { CATALOG } from '../../activities/catalog.ts';
import { createActivities } from '../../activities/run/create-activities.ts';
import type { Environment } from '../../lib/environment.ts';
import { taskDependencies } from './task-dependencies.ts';
import { TestSensors } from './test-sensors.ts';

/** Starts a worker with all task types and sensors, for pipelines in YAML. */
export function startYamlSensors(environment: Environment): Promise<TestSensors> {
  return TestSensors.start(environment, createActivities(CATALOG, taskDependencies(environment)));
}
