import type { CalendarPlan } from '../../workflows/plan/timetable/calendar.ts';
import { CronError, nextTick, parseCron } from '../../workflows/plan/timetable/cron.ts';
import { DURATION_HELP, parseDuration } from '../../workflows/plan/values/duration.ts';
import { isMap, type Json, type JsonObject } from '../../workflows/plan/values/json.ts';
import { parseMoment } from '../../workflows/plan/timetable/moment.ts';
import { iso, PRESETS, type SchedulePlan, tickAfter } from '../../workflows/plan/timetable/schedule.ts';
import { isTimeZone, wallTime } from '../../workflows/plan/timetable/time-zone.ts';
import { foreignSchedule } from '../mistakes/foreign-schedule.ts';
import { didYouMean } from '../mistakes/diagnostic.ts';
import type { Path, Source } from '../read/source.ts';
import { durationOf } from '../read/values.ts';

/** 2000-01-01. Any fixed instant works to check whether an expression ever fires. */
const SOME_TIME = 946_684_800_000;

/** The schedule of a pipeline, from `schedule_interval` or `schedule`; null if only people and sensors start it. */
export function resolveSchedule(source: Source, value: JsonObject): SchedulePlan | null {
  const long = value.schedule as JsonObject | undefined;
  const short = value.schedule_interval;
  if (long !== undefined && short !== undefined) {
    source.reportKey('SL208', ['schedule'], `'schedule' and 'schedule_interval' exclude each other.`, 'keep one of them');
    return null;
  }
  const zone = [long?.timezone, value.timezone].find((each) => typeof each === 'string' && isTimeZone(each));
  const timezone = typeof zone === 'string' ? zone : 'UTC';
  const stated = long === undefined ? resolveShort(source, short, timezone) : resolveLong(source, long, timezone);
  if (!stated) return null;
  const jitterMs = durationOf(long?.jitter);
  const startDelayMs = durationOf(long?.start_delay);
  const calendar = isMap(long?.calendar) ? calendarOf(long.calendar) : undefined;
  const dst = isMap(long?.dst) ? (long.dst as SchedulePlan['dst']) : undefined;
  const startAt = dayOrTime(value.start_date, timezone);
  const endAt = dayOrTime(value.end_date, timezone);
  if (startAt && endAt && startAt > endAt) source.report('SL209', ['end_date'], `'end_date' is before 'start_date'.`);
  const when = anchored(stated, startAt, timezone);
  if (calendar) checkMoves(source, stated, calendar);
  const schedule: SchedulePlan = {
    ...when,
    timezone,
    ...(jitterMs !== undefined && { jitterMs }),
    ...(startDelayMs !== undefined && { startDelayMs }),
    ...(calendar && { calendar }),
    ...(dst && when.kind === 'cron' && { dst }),
    ...(startAt !== undefined && { startAt }),
    ...(endAt !== undefined && { endAt }),
  };
  // Excluded days do not depend on the zone, and UTC is the fastest to search.
  if (calendar && tickAfter({ ...when, timezone: 'UTC', calendar }, SOME_TIME) === undefined)
    source.report('SL209', ['schedule', 'calendar'], 'The schedule never fires: its calendar excludes every day.');
  return schedule;
}

/** Converts the keys of a calendar. */
export function calendarOf({ exclude, business_days: businessDays, on_holiday: onHoliday }: JsonObject): CalendarPlan {
  return {
    ...(Array.isArray(exclude) && { exclude: exclude.map((day) => String(day).slice(0, 10)).sort() }),
    ...(businessDays === true && { businessDays }),
    ...((onHoliday === 'next_business_day' || onHoliday === 'previous_business_day') && { onHoliday }),
  };
}

type When =
  | { readonly kind: 'cron'; readonly cron: string; readonly moreCrons?: readonly string[] }
  | { readonly kind: 'every'; readonly everyMs: number; readonly anchor?: string };

const DAY_MS = 86_400_000;

/** A period counted from `start_date`. Days and weeks use wall time in the time zone, as in cron. */
function anchored(when: When, startAt: string | undefined, timezone: string): When {
  if (when.kind === 'cron' || startAt === undefined) return when;
  const wall = new Date(wallTime(Date.parse(startAt), timezone));
  const [isDaily, isWeekly] = [when.everyMs === DAY_MS, when.everyMs === 7 * DAY_MS];
  if ((!isDaily && !isWeekly) || wall.getTime() % 60_000 !== 0) return { ...when, anchor: startAt };
  return { kind: 'cron', cron: `${wall.getUTCMinutes()} ${wall.getUTCHours()} * * ${isDaily ? '*' : wall.getUTCDay()}` };
}

/** More ticks per day would all move to the same other day, and are too many to list in a Temporal Schedule. */
const MAX_MOVED_A_DAY = 4;

function checkMoves(source: Source, when: When, { onHoliday, exclude, businessDays }: CalendarPlan): void {
  if (onHoliday === undefined) return;
  const path = ['schedule', 'calendar', 'on_holiday'];
  if (when.kind === 'every') {
    source.report('SL208', path, "'on_holiday' needs a cron schedule, but this schedule uses 'every'.", 'write the times as cron');
    return;
  }
  const crons = [when.cron, ...(when.moreCrons ?? [])].map(parseCron);
  const count = crons.reduce((sum, { hours, minutes }) => sum + hours.length * minutes.length, 0);
  if (count > MAX_MOVED_A_DAY) {
    source.report(
      'SL209',
      path,
      `'on_holiday: ${onHoliday}' moves at most ${MAX_MOVED_A_DAY} runs of a day; this schedule has ${count}.`,
      'use on_holiday: skip',
    );
  }
  if (exclude === undefined && businessDays !== true)
    source.reportKey(
      'SL202',
      path,
      "'on_holiday' needs a calendar with excluded days.",
      'add business_days: true, or exclude: [2024-12-25]',
    );
}

function resolveShort(source: Source, short: unknown, timezone: string): When | undefined {
  const path = ['schedule_interval'];
  if (source.isReported(path)) return undefined;
  if (Array.isArray(short)) return crons(source, path, short as readonly Json[], timezone);
  if (typeof short !== 'string') return undefined;
  const preset = PRESETS[short];
  if (preset !== undefined) return { kind: 'cron', cron: preset };
  if (short.startsWith('@')) {
    source.report(
      'SL209',
      path,
      `Unknown schedule '${short}'; allowed: ${Object.keys(PRESETS).join(', ')}, cron, a duration or null.`,
      foreignSchedule(short) ?? didYouMean(short, Object.keys(PRESETS)),
    );
    return undefined;
  }
  const everyMs = parseDuration(short);
  if (everyMs !== undefined) return every(source, path, everyMs);
  if (!/\s/.test(short.trim())) {
    source.report(
      'SL209',
      path,
      `'${short}' is not a schedule: neither one of ${Object.keys(PRESETS).join(', ')}, nor cron of five fields, nor ${DURATION_HELP}.`,
      foreignSchedule(short) ?? didYouMean(`@${short}`, Object.keys(PRESETS)),
    );
    return undefined;
  }
  return cron(source, path, short, timezone);
}

function resolveLong(source: Source, long: JsonObject, timezone: string): When | undefined {
  if (source.isReported(['schedule', 'cron']) || source.isReported(['schedule', 'every'])) return undefined;
  if (Array.isArray(long.cron) && long.every === undefined)
    return crons(source, ['schedule', 'cron'], long.cron as readonly Json[], timezone);
  if (typeof long.cron === 'string' && long.every === undefined)
    return cron(source, ['schedule', 'cron'], PRESETS[long.cron] ?? long.cron, timezone);
  if (typeof long.every === 'string' && long.cron === undefined)
    return every(source, ['schedule', 'every'], parseDuration(long.every) ?? 0);
  if (Object.keys(long).some((key) => source.isReported(['schedule', key]))) return undefined;
  source.reportKey('SL208', ['schedule'], `'schedule' needs either 'cron' or 'every'.`, 'for example `schedule: {cron: "0 6 * * *"}`');
  return undefined;
}

function every(source: Source, path: Path, everyMs: number): When | undefined {
  if (everyMs >= 1000) return { kind: 'every', everyMs };
  source.report('SL209', path, 'A schedule cannot fire more than once a second.');
  return undefined;
}

/** Several cron expressions or presets: a run at each time of any of them. */
function crons(source: Source, path: Path, texts: readonly Json[], timezone: string): When | undefined {
  const found = texts.map((text, index) => cron(source, [...path, index], PRESETS[String(text)] ?? String(text), timezone)?.cron);
  const [first, ...more] = [...new Set(found)];
  if (first === undefined || found.includes(undefined)) return undefined;
  return { kind: 'cron', cron: first, ...(more.length > 0 && { moreCrons: more.filter((each) => each !== undefined) }) };
}

/** Warns of a day-of-month step combined with days of the week: cron implementations disagree about it. */
function warnOfEitherDay(source: Source, path: Path, text: string): void {
  const [minute = '', hour = '', dayOfMonth = '', month = '', dayOfWeek = ''] = text.trim().split(/\s+/);
  const isStepped = (field: string): boolean => field.startsWith('*/') && field !== '*/1';
  if (dayOfMonth === '*' || dayOfWeek === '*' || !(isStepped(dayOfMonth) || isStepped(dayOfWeek))) return;
  const either = [dayOfMonth.replace('*', '1-31'), dayOfWeek.replace('*', '0-6')];
  source.report(
    'SL212',
    path,
    `'${text}' fires on days that match both fields, as in cron; Airflow's library fires on days that match either.`,
    `for either write "${minute} ${hour} ${either[0]} ${month} ${either[1]}"`,
  );
}

/** How many values the fields of cron have, with the unit of a duration that fits; there is none for months and weekdays. */
const CRON_FIELDS = [
  { name: 'minute', size: 60, unit: 'm', others: 'an hour' },
  { name: 'hour', size: 24, unit: 'h', others: 'a day' },
  { name: 'day of month', size: 31, unit: 'd', others: 'a month' },
  { name: 'month', size: 12, unit: undefined, others: 'a year' },
  { name: 'day of week', size: 7, unit: undefined, others: 'a week' },
] as const;

/** Warns of a step that is longer than its field: one of 90 minutes fires at minute 0 of each hour, not every 90 minutes. */
function warnOfLongSteps(source: Source, path: Path, text: string): void {
  for (const [index, field] of text.trim().split(/\s+/).entries()) {
    const { name, size, unit, others } = CRON_FIELDS[index] ?? {};
    const [, step = '0'] = /^\*\/(\d{1,3})$/.exec(field) ?? [];
    if (name === undefined || size === undefined || Number(step) <= size) continue;
    source.report(
      'SL212',
      path,
      `'${field}' in the ${name} field fires once ${others}: a step ends with its field.`,
      unit === undefined ? `write *, or one value` : `for a run every ${step}${unit}, write a duration in place of cron: ${step}${unit}`,
    );
  }
}

function cron(source: Source, path: Path, text: string, timezone: string): (When & { kind: 'cron' }) | undefined {
  try {
    warnOfEitherDay(source, path, text);
    warnOfLongSteps(source, path, text);
    if (everFires(text, timezone)) return { kind: 'cron', cron: text.trim().split(/\s+/).join(' ') };
    source.report('SL209', path, `'${text}' never fires: there is no such day.`);
  } catch (error) {
    if (!(error instanceof CronError)) throw error;
    source.report('SL209', path, error.message, foreignSchedule(text));
  }
  return undefined;
}

const firing = new Map<string, boolean>();

/** Whether a cron expression ever fires. Cached, because most files use the same few expressions. @throws CronError */
function everFires(text: string, timezone: string): boolean {
  const key = `${text} ${timezone}`;
  let fires = firing.get(key);
  if (fires === undefined) {
    fires = nextTick(parseCron(text), timezone, SOME_TIME) !== undefined;
    if (firing.size >= MAX_REMEMBERED) firing.clear();
    firing.set(key, fires);
  }
  return fires;
}

const MAX_REMEMBERED = 10_000;

/** The UTC instant of a date or time, in the pipeline's zone unless it has an offset. */
function dayOrTime(text: unknown, timezone: string): string | undefined {
  const moment = typeof text === 'string' ? parseMoment(text, timezone) : undefined;
  return moment && iso(moment.instant);
}
