import Type from 'typebox';
import { text } from '../../lib/schema-fields.ts';
import { isTemplate } from '../../workflows/plan/expressions/template.ts';
import { parseMoment } from '../../workflows/plan/timetable/moment.ts';
import { parseDuration } from '../../workflows/plan/values/duration.ts';
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
  mistakes: ({ time }) =>
    isTemplate(time) || readTime(time) !== undefined
      ? []
      : [
          {
            at: ['time'],
            message: `'time' is '${time}', which is neither a time of day such as 06:00 nor a time with its zone such as 2024-01-31T06:00:00Z.`,
            ...(parseDuration(time) !== undefined && {
              hint: `to wait some time after the interval, write {{ addMinutes(data_interval_end, ${Math.ceil((parseDuration(time) ?? 0) / 60_000)}) }}`,
            }),
          },
        ],
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

/** A time of day, in milliseconds since midnight, or an instant; undefined if a text is neither. */
function readTime(text: string): { readonly ofDay: number } | { readonly instant: number } | undefined {
  const clock = /^([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?$/.exec(text);
  if (clock) {
    const [hour = 0, minute = 0, second = 0] = clock.slice(1).map((part) => Number(part ?? 0));
    return { ofDay: ((hour * 60 + minute) * 60 + second) * 1000 };
  }
  const moment = /T.*(?:Z|[+-]\d{2}:\d{2})$/.test(text) ? parseMoment(text, 'UTC') : undefined;
  return moment && { instant: moment.instant };
}

/** @param day an instant of the day that a time of day refers to */
function instantOf(text: string, day: number, timezone: string): number {
  const time = readTime(text);
  if (!time) {
    throw userFault(
      'InvalidParameters',
      `time is '${text}'. Write a time of day such as 06:00, or a time with its zone such as 2024-01-31T06:00:00Z.`,
    );
  }
  if ('instant' in time) return time.instant;
  const wall = wallTime(day, timezone);
  const target = wall - (wall % DAY) + time.ofDay;
  return instantsOf(target, timezone)[0] ?? shiftedInstant(target, timezone);
}
