import type { SensorFacts } from '../../monitors/facts.ts';
import { sensorOf } from '../../workflows/plan/sensor.ts';
import type { SensorStatus } from './sensors.ts';

/** Summarizes the reports of a sensor's consumers for monitors. */
export function sensorFacts({ id, state }: SensorStatus): SensorFacts {
  const reports = state?.reports ?? [];
  const problem = reports.find((report) => report.problem !== undefined)?.problem;
  const sum = (of: (report: (typeof reports)[number]) => number): number => reports.reduce((total, report) => total + of(report), 0);
  return {
    id,
    dagId: sensorOf(id).dagId,
    ...(state && { state: state.state }),
    ...(state?.why !== undefined && { why: state.why }),
    ...(problem !== undefined && { problem }),
    events: sum(({ counts }) => counts.events),
    rate: sum(({ rate }) => rate),
    lag: sum(({ lag = 0 }) => lag),
    lost: sum(({ counts }) => counts.lost),
  };
}
