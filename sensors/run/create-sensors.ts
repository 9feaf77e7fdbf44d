import { sensorActivity, type SensorCall, type SensorEnd } from '../../workflows/plan/sensor.ts';
import type { TriggerType } from '../define-trigger.ts';
import { resetSensor, runSensor, type SensorDependencies } from './run-sensor.ts';

/** The Temporal activities of the triggers in `catalog` that this release can run: `<type>_sensor` and `<type>_sensor_reset`. */
export function createSensors(
  catalog: readonly TriggerType[],
  dependencies: SensorDependencies,
): Record<string, (call: SensorCall, to: string) => Promise<SensorEnd>> {
  return Object.fromEntries(
    catalog.flatMap((type) => {
      const { sensor } = type;
      if (!sensor) return [];
      return [
        [sensorActivity(type.type), (call: SensorCall) => runSensor(type, sensor, dependencies, call)],
        [`${sensorActivity(type.type)}_reset`, (call: SensorCall, to: string) => resetSensor(type, sensor, dependencies, call, to)],
      ];
    }),
  );
}
