import { isTimeZone } from '../../workflows/plan/timetable/time-zone.ts';
import type { JsonObject } from '../../workflows/plan/values/json.ts';
import { convertOption } from './convert-options.ts';
import { readDate } from './dates.ts';
import { durationText, readDuration } from './durations.ts';
import type { Report } from './report.ts';
import type { SourceDag } from './source-dag.ts';
import type { SourceValue } from './source-value.ts';

/** DAG keys that have no equivalent in Sluice, with advice. */
const LOST: Readonly<Record<string, string>> = {
  concurrency: 'has no equivalent; limit concurrent tasks with a pool',
  max_active_tasks: 'has no equivalent; limit concurrent tasks with a pool',
  max_consecutive_failed_dag_runs: 'has no equivalent; watch failures with alerts and sla',
  is_paused_upon_creation: 'has no equivalent: a pipeline exists while its file exists',
  access_control: "is about Airflow's users",
  user_defined_macros: 'are Python; expressions are CEL here',
  user_defined_filters: 'are Python; expressions are CEL here',
  template_searchpath: 'has no equivalent: write the text in the pipeline',
  vars: 'exist only in dag-factory; declare them as params',
  fail_fast: 'has no equivalent',
  fail_stop: 'has no equivalent',
};
/** Keys that concern Airflow's UI and rendering. */
const PAGES: ReadonlySet<string> = new Set(['default_view', 'orientation', 'dag_display_name', 'render_template_as_native_obj', 'tooltip']);
/** Values that Airflow's exports contain for unset keys. */
const UNSAID: JsonObject = { max_active_runs: 16, max_active_tasks: 16, concurrency: 16, max_consecutive_failed_dag_runs: 0 };

/** Reads the keys of a DAG, and reports unread ones. */
export class DagKeys {
  private readonly read = new Set<string>();

  constructor(
    private readonly dag: SourceDag,
    private readonly report: Report,
  ) {}

  /** @returns undefined if the DAG does not have the key */
  take(key: string): SourceValue | undefined {
    this.read.add(key);
    const field = this.dag.fields.get(key);
    return field?.value === null ? undefined : field;
  }

  /** Marks keys that are read elsewhere. */
  markRead(keys: readonly string[]): void {
    for (const key of keys) this.read.add(key);
  }

  /** The description, owner, tags and documentation of the DAG. */
  describe(): JsonObject {
    const owner = this.take('owner') ?? this.dag.defaults.get('owner');
    const tags = this.take('tags');
    const words = tags?.items?.map(({ value, fields }) => String(fields?.get('name')?.value ?? value)) ?? [];
    if (tags && words.length > 0) this.report.kept('tags', tags.place);
    return {
      ...this.text('description', this.take('description')),
      ...(owner?.value === 'airflow' ? {} : this.text('owner', owner)),
      ...(words.length > 0 && { tags: words }),
      ...this.text('doc_md', this.take('doc_md')),
    };
  }

  /** The keys that limit when the DAG runs, besides its schedule. */
  when(scheduleZone: string | undefined): JsonObject {
    const zone = this.take('timezone') ?? this.dag.defaults.get('timezone');
    // Airflow 2 exports a zone as Timezone('Europe/Berlin').
    const name = typeof zone?.value === 'string' ? zone.value.replace(/^Timezone\('(.*)'\)$/, '$1') : undefined;
    const timezone = scheduleZone ?? (name !== undefined && name !== 'UTC' && isTimeZone(name) ? name : undefined);
    if (timezone !== undefined) {
      const place = (zone ?? this.dag.fields.get('schedule') ?? this.dag.fields.get('timetable'))?.place ?? this.dag.place;
      this.report.changed('timezone', `ds and other days are those of ${timezone} here; Airflow's are those of UTC`, place);
    }
    const catchup = this.take('catchup');
    if (typeof catchup?.value === 'boolean') this.report.kept('catchup', catchup.place);
    else if (this.dag.fields.has('schedule') || this.dag.fields.has('schedule_interval')) {
      this.report.changed('catchup', 'is not given and defaults to false; in Airflow 2 it was true', this.dag.place);
    }
    const runs = this.take('max_active_runs');
    const limit = typeof runs?.value === 'number' && runs.value !== UNSAID.max_active_runs ? runs.value : undefined;
    if (runs && limit !== undefined) this.report.kept('max_active_runs', runs.place);
    return {
      ...this.date('start_date'),
      ...this.date('end_date'),
      ...(timezone !== undefined && { timezone }),
      ...(typeof catchup?.value === 'boolean' && { catchup: catchup.value }),
      ...(limit !== undefined && { max_active_runs: limit }),
      ...this.timeout(this.take('dagrun_timeout') ?? this.take('dagrun_timeout_sec')),
    };
  }

  /** Reports keys that were not read. Call it last. */
  reportRest(): void {
    for (const [key, field] of this.dag.fields) {
      if (this.read.has(key) || field.value === null || field.value === UNSAID[key]) continue;
      const option = convertOption(key, field.value);
      const why = Object.hasOwn(LOST, key) ? LOST[key] : PAGES.has(key) ? "is about Airflow's pages and templates" : undefined;
      if (why !== undefined) this.report.notKept(key, why, field.place);
      else if (option && 'lost' in option) this.report.notKept(key, option.lost, field.place);
      else if (option !== undefined) this.report.notKept(key, 'is not a key of a pipeline', field.place);
    }
    for (const [key, field] of this.dag.defaults) {
      if (convertOption(key, field.value) !== null || ['owner', 'start_date', 'end_date', 'timezone'].includes(key)) continue;
      const used = this.report.entries.some(({ what, place }) => what === key && place === field.place);
      if (!used) this.report.notKept(`default_args.${key}`, 'is not a key of these tasks', field.place);
    }
  }

  private text(key: string, field: SourceValue | undefined): JsonObject {
    if (typeof field?.value !== 'string' || field.value === '') return {};
    this.report.kept(key, field.place);
    return { [key]: field.value };
  }

  private date(key: 'start_date' | 'end_date'): JsonObject {
    const field = this.take(key) ?? this.dag.defaults.get(key);
    if (!field || field.value === null) return {};
    const date = readDate(field.value);
    if (date === undefined) {
      const given = typeof field.value === 'string' ? `'${field.value}'` : JSON.stringify(field.value);
      this.report.notKept(key, `${given} is not a date; if it is relative to the current day, write the date`, field.place);
      return {};
    }
    this.report.kept(key, field.place);
    return { [key]: date };
  }

  private timeout(field: SourceValue | undefined): JsonObject {
    if (!field || field.value === null) return {};
    const ms = readDuration(field.value);
    if (ms === undefined) this.report.notKept('dagrun_timeout', 'is not a duration', field.place);
    else this.report.kept('dagrun_timeout', field.place);
    return ms === undefined ? {} : { dagrun_timeout: durationText(ms) };
  }
}
