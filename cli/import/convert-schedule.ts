import { CronError, nextTick, parseCron } from '../../workflows/plan/timetable/cron.ts';
import type { Json, JsonObject } from '../../workflows/plan/values/json.ts';
import { parseDuration } from '../../workflows/plan/values/duration.ts';
import { PRESETS } from '../../workflows/plan/timetable/schedule.ts';
import { isTimeZone } from '../../workflows/plan/timetable/time-zone.ts';
import { readDate } from './dates.ts';
import { durationText, readDuration } from './durations.ts';
import type { Report } from './report.ts';
import type { Fields, SourceDag } from './source-dag.ts';
import type { SourceValue } from './source-value.ts';

/** The keys of a pipeline that define its schedule. */
export interface ScheduleKeys {
  readonly schedule_interval: string | null;
  readonly timezone?: string;
  readonly triggers?: readonly JsonObject[];
}

const BY_HAND: ScheduleKeys = { schedule_interval: null };
/** 2000-01-01: any fixed instant works to check whether an expression ever fires. */
const SOME_TIME = 946_684_800_000;
const AIRFLOW_PRESETS: Readonly<Record<string, string>> = { ...PRESETS, '@quarterly': '0 0 1 */3 *' };

/** Converts the schedule of a DAG: `schedule` in any format, `schedule_interval` of dag-factory, and `timetable`. */
export function convertSchedule(
  { fields, place, defaults }: Pick<SourceDag, 'fields' | 'place'> & Partial<SourceDag>,
  report: Report,
): ScheduleKeys {
  const given = fields.get('schedule') ?? fields.get('schedule_interval');
  const timetable = fields.get('timetable');
  const start = fields.get('start_date') ?? defaults?.get('start_date');
  const startsAt = start !== undefined && readDate(start.value) !== undefined;
  const source = timetable ?? given;
  if (source) return new ScheduleConverter(report, source, startsAt).convert();
  report.changed('schedule', 'is not said: by hand only here and in Airflow 3; once a day in Airflow 2', place);
  return BY_HAND;
}

class ScheduleConverter {
  constructor(
    private readonly report: Report,
    private readonly source: SourceValue,
    /** Whether the DAG has a start_date, from which intervals are counted. */
    private readonly startsAt: boolean,
  ) {}

  convert(): ScheduleKeys {
    const { value, fields, items } = this.source;
    if (value === null) return this.keep(BY_HAND);
    if (typeof value === 'string') return this.text(value.trim());
    if (items) return this.datasets(this.source, BY_HAND);
    const every = readDuration(value);
    if (every !== undefined) return this.every(every);
    if (!fields) return this.lose('is not a schedule');
    if (fields.get('__type')?.value === 'CronExpression') return this.text(String(fields.get('value')?.value));
    const datasets = fields.get('datasets');
    const timetable = fields.get('timetable');
    if (datasets)
      return this.datasets(datasets, timetable ? new ScheduleConverter(this.report, timetable, this.startsAt).convert() : BY_HAND);
    return conditionOf(this.source) ? this.datasets(this.source, BY_HAND) : this.timetable(fields);
  }

  private text(text: string): ScheduleKeys {
    if (text === '' || /^none$/i.test(text)) return this.keep(BY_HAND);
    if (text === '@once') return this.lose('runs once: start it with `sluice run`');
    const aws = fromAws(text);
    if (aws !== undefined) return typeof aws === 'number' ? this.every(aws) : this.text(aws);
    if (Object.hasOwn(AIRFLOW_PRESETS, text)) {
      return this.keep({ schedule_interval: Object.hasOwn(PRESETS, text) ? text : (AIRFLOW_PRESETS[text] ?? null) });
    }
    const every = readDuration(text);
    if (every !== undefined) return this.every(every);
    if (/^(?:dataset|asset)\b/i.test(text)) return this.lose('runs when datasets are updated; write a trigger of type dataset');
    try {
      const ours = eitherDay(text.split(/\s+/));
      if (nextTick(parseCron(ours), 'UTC', SOME_TIME) === undefined) return this.lose('never occurs: there is no such day');
      const keys = { schedule_interval: ours };
      if (!text.includes('*/') || ours === text.split(/\s+/).join(' ')) return this.keep(keys);
      this.report.changed('schedule', `is '${ours}': Airflow fires on days that match either field, and so does this`, this.source.place);
      return keys;
    } catch (error) {
      if (!(error instanceof CronError)) throw error;
      return this.lose(`cannot be said: ${error.message.replace(/\.$/, '')}`);
    }
  }

  private every(ms: number): ScheduleKeys {
    if (ms < 1000) return this.lose('comes more than once a second');
    // Both count from start_date, in days and hours of the pipeline's zone.
    if (this.startsAt) this.report.kept('schedule', this.source.place);
    else
      this.report.changed(
        'schedule',
        'the time is counted from 1970-01-01T00:00Z: there is no start_date to count from',
        this.source.place,
      );
    return { schedule_interval: durationText(ms) };
  }

  /**
   * Converts `{__type__: …CronTriggerTimetable, cron, timezone}` and similar, and their serialized form `{__type, __var: {expression, …}}`.
   */
  private timetable(fields: Fields): ScheduleKeys {
    const type = String(fields.get('__type__')?.value ?? fields.get('__type')?.value ?? '').replace(/^.*\./, '');
    const inner = fields.get('__var')?.fields ?? fields;
    const first = fields.get('__args__')?.items?.[0]?.value;
    const zone = inner.get('timezone')?.value;
    const timezone = typeof zone === 'string' && zone !== 'UTC' && isTimeZone(zone) ? zone : undefined;
    const cron = inner.get('cron')?.value ?? inner.get('expression')?.value ?? first;
    if (/^Cron(?:Trigger|DataInterval)Timetable$/.test(type) && typeof cron === 'string') {
      const keys = this.text(cron);
      if (type === 'CronTriggerTimetable' && keys.schedule_interval !== null) {
        const why = 'the data interval of a run ends at its tick; with CronTriggerTimetable `ds` was the day of the tick itself';
        this.report.changed('schedule', why, this.source.place);
      }
      return { ...keys, ...(timezone !== undefined && { timezone }) };
    }
    const delta = inner.get('delta')?.value ?? first;
    const every = /^Delta(?:Trigger|DataInterval)Timetable$/.test(type) && delta !== undefined ? readDuration(delta) : undefined;
    if (every !== undefined) return this.every(every);
    if (type === 'NullTimetable') return this.keep(BY_HAND);
    if (type === 'OnceTimetable') return this.text('@once');
    return this.lose(type === '' ? 'is not a schedule that Sluice supports' : `is a ${type}, which only Airflow has`);
  }

  private datasets(source: SourceValue, clock: ScheduleKeys): ScheduleKeys {
    const found = source.items ? { mode: 'all', parts: source.items } : (conditionOf(source) ?? { mode: 'all', parts: [] });
    const uris = found.parts.map(({ value }) => uriOf(value));
    const known = uris.filter((uri) => uri !== undefined);
    if (known.length === 0 || known.length < uris.length) {
      this.lose('names datasets without URIs, or has nested conditions; write triggers of type dataset');
      return clock;
    }
    this.report.kept('schedule', this.source.place);
    return { ...clock, triggers: [{ name: 'data_sets', type: 'dataset', [found.mode]: [...new Set(known)] }] };
  }

  private keep(keys: ScheduleKeys): ScheduleKeys {
    this.report.kept('schedule', this.source.place);
    return keys;
  }

  private lose(why: string): ScheduleKeys {
    this.report.notKept('schedule', `${shown(this.source.value)} ${why}`, this.source.place);
    return BY_HAND;
  }
}

/** A cron expression that means what Airflow's library makes of it: a step of days is a restriction there, where cron sees none. */
function eitherDay(fields: readonly string[]): string {
  const [minute, hour, dayOfMonth = '', month, dayOfWeek = '', ...more] = fields;
  const isStepped = [dayOfMonth, dayOfWeek].some((field) => /^\*\/(?!1$)/.test(field));
  if (!isStepped || dayOfMonth === '*' || dayOfWeek === '*') return fields.join(' ');
  return [minute, hour, dayOfMonth.replace(/^\*/, '1-31'), month, dayOfWeek.replace(/^\*/, '0-6'), ...more].join(' ');
}

/**
 * Parses Amazon EventBridge's `cron(0 3 * * ? *)`, and `rate(1 day)` to milliseconds. Returns undefined for other texts and for expressions
 * with a year or a last day.
 */
function fromAws(text: string): string | number | undefined {
  const [, amount, unit] = /^rate\((\d+) (minute|hour|day)s?\)$/.exec(text) ?? [];
  if (amount !== undefined) return parseDuration(`${amount}${unit?.charAt(0)}`);
  const [, minute, hour, day, month, weekday, year] = /^cron\((\S+) (\S+) (\S+) (\S+) (\S+) (\S+)\)$/.exec(text) ?? [];
  if (minute === undefined || year !== '*' || /[LW#]/.test(`${day} ${weekday?.replace(/[A-Z]{3}/g, '')}`)) return undefined;
  // EventBridge counts weekdays from Sunday as 1.
  const days = weekday?.replace(/\d+/g, (each) => String(Number(each) - 1));
  return [minute, hour, day, month, days].join(' ').replaceAll('?', '*');
}

/** A condition on all or any of several datasets: `{__or__: […]}`, `a & b`, `{any: […]}`, `{__type: asset_all, __var: {objects}}`. */
function conditionOf({
  value,
  fields,
  place,
}: SourceValue): { readonly mode: 'all' | 'any'; readonly parts: readonly SourceValue[] } | undefined {
  if (typeof value === 'string') {
    const bare = value.trim().replace(/^\(([^()]*)\)$/, '$1');
    const operators = new Set(bare.match(/[&|]/g));
    if (operators.size > 1 || /[()]/.test(bare)) return undefined;
    const parts = bare.split(/[&|]/).map((part): SourceValue => ({ place, value: part.trim(), size: 1 }));
    return { mode: operators.has('|') ? 'any' : 'all', parts };
  }
  if (!fields) return undefined;
  if (uriOf(value) !== undefined) return { mode: 'all', parts: [{ place, value, size: 1 }] };
  for (const [key, mode] of [
    ['__and__', 'all'],
    ['all', 'all'],
    ['__or__', 'any'],
    ['any', 'any'],
  ] as const) {
    const parts = fields.get(key)?.items;
    if (parts) return { mode, parts };
  }
  const condition = fields.get('__var')?.fields?.get('dataset_condition') ?? fields.get('__var')?.fields?.get('asset_condition');
  if (condition) return conditionOf(condition);
  const mode = { dataset_all: 'all', asset_all: 'all', dataset_any: 'any', asset_any: 'any' }[String(fields.get('__type')?.value)];
  const parts = fields.get('objects')?.items;
  return (mode === 'all' || mode === 'any') && parts ? { mode, parts } : undefined;
}

/**
 * The URI of a dataset: the text itself, or `uri` of `airflow.datasets.Dataset` and `airflow.sdk.Asset`. Undefined if it contains a
 * dag-factory variable.
 */
export function uriOf(value: Json): string | undefined {
  if (typeof value === 'string') return /^[a-z][a-z0-9+.-]*:\/\/[^$]*$/i.test(value) && URL.canParse(value) ? value : undefined;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const { uri, asset, __var: wrapped } = value as JsonObject;
  const inner = uri ?? asset ?? wrapped;
  return inner === undefined ? undefined : uriOf(inner);
}

/** Shortens a value for a message. */
function shown(value: Json): string {
  const text = typeof value === 'string' ? `'${value}'` : JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}
