import Type from 'typebox';
import { text } from '../../lib/schema-fields.ts';
import { instantsOf, shiftedInstant, wallTime } from '../../workflows/plan/timetable/time-zone.ts';
import { defineTask } from '../define-task.ts';
import { notYet, userFault } from './errors.ts';
import { WAIT_DEFAULTS, WAIT_KEYS } from './wait-keys.ts';

/** Waits for a time. */
export const waitUntil = defineTask({
  type: 'wait_until',
  description: 'Waits for a time; waiting holds no worker.',
  summary: ({ time }) => `until ${time}`,
  params: Type.Object({
    time: text(
      'Time',
      'A time (2024-01-31T06:00:00Z), or a time of day in the time zone of the pipeline, on the day on which the data interval ends. One that has passed is not waited for.',
      '06:00',
    ),
    ...WAIT_KEYS,
  }),
  result: Type.Object({ time: Type.String() }),
  connections: {},
  waits: true,
  defaults: WAIT_DEFAULTS,
  example: { name: 'wait_for_morning', type: 'wait_until', time: '06:00' },
  run({ interval, timezone }, { time }) {
    const at = instantOf(time, Date.parse(interval.end), timezone);
    const left = at - Date.now();
    const iso = new Date(at).toISOString();
    if (left > 0) return Promise.reject(notYet(`It is not ${iso} yet.`, left));
    return Promise.resolve({ time: iso });
  },
});

const DAY = 86_400_000;

/** @param day an instant of the day that a time of day refers to */
function instantOf(time: string, day: number, timezone: string): number {
  const ofDay = /^([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?$/.exec(time);
  if (!ofDay) {
    const instant = /^\d{4}-\d{2}-\d{2}T.*(Z|[+-]\d{2}:\d{2})$/.test(time) ? Date.parse(time) : NaN;
    if (!Number.isNaN(instant)) return instant;
    throw userFault(
      'InvalidParameters',
      `time is '${time}'. Write a time of day such as 06:00, or a time with its zone such as 2024-01-31T06:00:00Z.`,
    );
  }
  const [hour = 0, minute = 0, second = 0] = ofDay.slice(1).map((part) => Number(part ?? 0));
  const wall = wallTime(day, timezone);
  const wanted = wall - (wall % DAY) + ((hour * 60 + minute) * 60 + second) * 1000;
  return instantsOf(wanted, timezone)[0] ?? shiftedInstant(wanted, timezone);
}
