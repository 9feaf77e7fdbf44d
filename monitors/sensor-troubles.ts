import { formatDuration } from '../workflows/plan/values/duration.ts';
import type { MonitorSettings } from '../workflows/plan/incidents/incident.ts';
import type { Plan } from '../workflows/plan/plan.ts';
import { plainSensorId, sensorId } from '../workflows/plan/ids.ts';
import type { Checked, SensorFacts } from './facts.ts';
import { type Finding, findingOf } from './finding.ts';
import type { Since } from './since.ts';

/** Lost events cannot be recovered: their incident ends after this time, in milliseconds. */
const LOSS_REPORT_MS = 3_600_000;
/** A sensor lags if reading its backlog at its current rate would take longer than this, in milliseconds. */
const LAG = 300_000;

/** A problem of one sensor. */
interface Trouble {
  readonly sensor: string;
  readonly dagId: string;
  readonly trouble: 'missing' | 'stopped' | 'trouble' | 'stalled' | 'lagging' | 'lost';
  /** ISO 8601. */
  readonly since: string;
  /** The problem, as the end of a sentence that starts with the sensor. */
  readonly what: string;
  readonly whatToDo: string;
}

/** Finds the problems of a deployment's sensors, including missing sensors. */
export function findSensorTroubles(
  { found: sensors, unchecked }: Checked<readonly SensorFacts[]>,
  plans: ReadonlyMap<string, Plan>,
  since: Since,
  { graceMs, sensorMs }: MonitorSettings,
): Finding[] {
  const there = new Set([...sensors.map(({ id }) => id), ...unchecked.keys()].map(plainSensorId));
  const expected = [...plans.values()].flatMap(({ dagId, triggers = [] }) =>
    triggers.map(({ name }) => ({ dagId, id: sensorId(dagId, name) })),
  );
  const troubles = [
    ...expected.flatMap(({ dagId, id }) => missing(id, dagId, since, !there.has(id), graceMs)),
    ...sensors.flatMap((sensor) => troublesOf(sensor, since, sensorMs)),
  ];
  return troubles.map(({ sensor, dagId, trouble, what, since: began, whatToDo }) => {
    const plan = plans.get(dagId);
    const severity = plan?.critical ? 'critical' : 'error';
    return findingOf(`${sensor}/${trouble}`, plan?.alerts, {
      subject: `sensor ${nameOf(sensor)}`,
      what,
      kind: `sensor_${trouble}`,
      source: dagId,
      severity,
      since: began,
      details: { what_to_do: whatToDo },
    });
  });
}

function missing(sensor: string, dagId: string, since: Since, isSo: boolean, patience: number): Trouble[] {
  const key = `${sensor}/missing`;
  if ((since.lasting(key, isSo) ?? 0) < patience) return [];
  const whatToDo = 'Start the scheduler, which recreates it: `sluice scheduler --watch`.';
  return [{ sensor, dagId, trouble: 'missing', since: since.began(key), what: 'is missing: its events start no runs', whatToDo }];
}

function troublesOf({ id, dagId, state, why, problem, events, rate, lag, lost }: SensorFacts, since: Since, patience: number): Trouble[] {
  if (state === undefined || state === 'paused') return [];
  const found: Trouble[] = [];
  /** Reports a lasting problem. A new occurrence has another `key`. */
  const report = (trouble: Trouble['trouble'], key: string, what: string, whatToDo: string): void => {
    found.push({ sensor: id, dagId, trouble, since: since.began(key), what, whatToDo });
  };
  const keys = {
    stopped: `${id}/stopped`,
    trouble: `${id}/trouble`,
    standing: `${id}/standing/${events}`,
    lagging: `${id}/lagging`,
    lost: `${id}/lost/${lost}`,
  };
  const neededMs = rate > 0 ? (lag / rate) * 1000 : 0;
  const inTheWay = since.lasting(keys.trouble, problem !== undefined) ?? 0;
  // It has a backlog but reads nothing.
  const standing = since.lasting(keys.standing, lag > 0) ?? 0;
  const lagging = since.lasting(keys.lagging, neededMs > LAG) ?? 0;
  if (since.lasting(keys.stopped, state === 'stopped') !== undefined) {
    report(
      'stopped',
      keys.stopped,
      `has stopped: ${why ?? 'no reason given'}`,
      `Correct the cause, then \`sluice sensors resume ${nameOf(id)}\`.`,
    );
  }
  if (inTheWay >= patience) {
    report('trouble', keys.trouble, `is blocked: ${problem ?? ''}`, 'It continues automatically when the cause is resolved.');
  } else if (standing >= patience) {
    const line = `has made no progress, ${lag} events behind, for ${formatDuration(patience)}`;
    report('stalled', keys.standing, line, 'Check its workers and its source.');
  } else if (lagging >= patience) {
    const minutes = Math.round(neededMs / 60_000);
    const line = `lags: ${lag} events wait, ${formatDuration(minutes * 60_000)} of work at ${Math.round(rate)} a second`;
    report(
      'lagging',
      keys.lagging,
      line,
      'Its runs start late. Increase `parallelism`, up to the number of partitions of its topics, or add workers.',
    );
  }
  if (lost > 0 && (since.lasting(keys.lost, true) ?? 0) < LOSS_REPORT_MS) {
    const line = `has lost ${lost} events: their source removed them before they were read`;
    report('lost', keys.lost, line, 'Increase the retention of the source; `sluice sensors reset` moves the sensor to another position.');
  }
  return found;
}

/** The sensor's name as in `sluice sensors`. */
function nameOf(sensor: string): string {
  return sensor.replace(/^sensor\//, '');
}
