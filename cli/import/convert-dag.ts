import type { Json, JsonObject } from '../../workflows/plan/values/json.ts';
import { isTimeZone } from '../../workflows/plan/timetable/time-zone.ts';
import { convertOption } from './convert-options.ts';
import { convertParams } from './convert-params.ts';
import { convertSchedule, uriOf } from './convert-schedule.ts';
import { convertTask, type WrittenTask } from './convert-task.ts';
import { ImportedParams } from './imported-params.ts';
import { any, text as textValue, type Value } from './jinja-values.ts';
import { mappingOf } from './operators/catalog.ts';
import { readDate } from './dates.ts';
import { durationText, readDuration } from './durations.ts';
import { adaptName } from './names.ts';
import { placeTasks, type TaskPlace } from './place-tasks.ts';
import { Report } from './report.ts';
import { shareOptions, type SharedOptions } from './share-options.ts';
import type { Fields, SourceDag } from './source-dag.ts';
import { formatPlace, type SourceValue } from './source-value.ts';

/** A pipeline that is written. */
export interface WrittenPipeline {
  /** At the top of the file. */
  readonly comments: readonly string[];
  /** All but the tasks, in order. */
  readonly keys: JsonObject;
  readonly tasks: readonly WrittenTask[];
}

/** Keys of a DAG that Sluice has no equivalent of, with what to do. */
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
/** Keys that are about Airflow's pages and how it renders. */
const PAGES: ReadonlySet<string> = new Set(['default_view', 'orientation', 'dag_display_name', 'render_template_as_native_obj', 'tooltip']);
/** What Airflow's exports say where nobody has said anything. */
const UNSAID: JsonObject = { max_active_runs: 16, max_active_tasks: 16, concurrency: 16, max_consecutive_failed_dag_runs: 0 };

/**
 * Writes a DAG as a pipeline.
 * @param dagName our name of a DAG, of this and of those that it names
 * @throws ImportError when it cannot be a pipeline at all
 */
export function convertDag(
  dag: SourceDag,
  dagName: (id: string) => string,
): { readonly pipeline: WrittenPipeline; readonly report: Report } {
  const report = new Report();
  return { pipeline: new DagConverter(dag, dagName, report).convert(), report };
}

class DagConverter {
  private readonly read = new Set<string>();

  constructor(
    private readonly dag: SourceDag,
    private readonly dagName: (id: string) => string,
    private readonly report: Report,
  ) {}

  convert(): WrittenPipeline {
    const { dag, report } = this;
    const dagId = this.dagName(dag.id);
    if (dagId !== dag.id) report.changed('dag_id', `is '${dagId}': lowercase letters, digits and _`, dag.place);
    const places = placeTasks(dag, report);
    const { names: params, keys: declared } = convertParams(this.take('params'), report);
    const described = this.describe();
    const { timezone: zone, ...schedule } = convertSchedule(dag, report);
    for (const key of ['schedule', 'schedule_interval', 'timetable']) this.read.add(key);
    const when = this.when(zone);
    const parameters = new ImportedParams(params, declared ?? {}, report, dag.place);
    const timezone = typeof when.timezone === 'string' ? when.timezone : undefined;
    const known = {
      params: parameters.known,
      ...(timezone !== undefined && { timezone }),
      parameter: (origin: 'variable' | 'conf', theirs: string, fallback?: Json) => parameters.parameter(origin, theirs, fallback),
      output: (id: string) => this.outputOf(id, places),
    };
    const { options, others: forOperators } = this.defaults();
    const tasks = dag.tasks.map((task): WrittenTask => {
      const place = places.get(task.id) ?? { name: task.id, dependsOn: [] };
      const { keys, comments } = convertTask(task, {
        name: place.name,
        fullName: place.group === undefined ? place.name : `${place.group}.${place.name}`,
        defaults: forOperators,
        names: known,
        followers: this.followersOf(place, places),
        dagName: this.dagName,
        report,
      });
      const { name, type, owner, ...others } = keys;
      const rest = owner === undefined || owner === described.owner ? others : { ...others, owner };
      const standing = {
        ...(place.group !== undefined && { group: place.group }),
        ...(place.dependsOn.length > 0 && { depends_on: place.dependsOn }),
      };
      return { keys: { name: name ?? place.name, type: type ?? 'empty', ...standing, ...rest }, comments };
    });
    const datasets = { ...this.datasets('inlets'), ...this.datasets('outlets') };
    this.rest();
    const all = shareOptions(options, tasks);
    const shared = (schedule.schedule_interval ?? null) === null ? this.withoutTimetable(all) : all;
    if (shared.added.length > 0) {
      report.changed(
        'default_args',
        `defaults of Airflow that differ from those of Sluice are written out: ${shared.added.join(', ')}`,
        dag.place,
      );
    }
    const keys: JsonObject = {
      dag_id: dagId,
      ...described,
      ...(schedule.schedule_interval !== null || !schedule.triggers ? { schedule_interval: schedule.schedule_interval } : {}),
      ...when,
      ...(parameters.keys && { params: parameters.keys }),
      ...(Object.keys(shared.defaults).length > 0 && { default_args: shared.defaults }),
      ...(schedule.triggers && { triggers: schedule.triggers }),
      ...datasets,
    };
    return { comments: this.comments(), keys, tasks: startAtOnce(shared.tasks) };
  }

  /** Without a timetable no interval is before another; and each run, started by hand, is about the newest, as in Airflow. */
  private withoutTimetable(shared: SharedOptions): SharedOptions {
    const isAbout = (key: string): boolean => ['depends_on_past', 'latest_only'].includes(key);
    this.report.lose(['depends_on_past', 'wait_for_downstream'], 'needs a schedule: without one, runs have no earlier interval');
    const without = (keys: JsonObject): JsonObject => Object.fromEntries(Object.entries(keys).filter(([key]) => !isAbout(key)));
    return { ...shared, defaults: without(shared.defaults), tasks: shared.tasks.map((task) => ({ ...task, keys: without(task.keys) })) };
  }

  /** The tasks that wait for the one at `place`. */
  private followersOf({ name, group }: TaskPlace, places: ReadonlyMap<string, TaskPlace>): string[] {
    const id = group === undefined ? name : `${group}.${name}`;
    return [...places.values()]
      .filter((each) => each.dependsOn.some((on) => on === id || (each.group === group && on === name)))
      .map((each) => each.name);
  }

  /** What XCom has of a task, as an expression. */
  private outputOf(id: string, places: ReadonlyMap<string, TaskPlace>): Value | undefined {
    const place = places.get(id);
    const operator = this.dag.tasks.find((task) => task.id === id)?.operator;
    const type = operator === undefined ? undefined : mappingOf(operator)?.type;
    if (!place || place.group !== undefined) return undefined;
    // Airflow keeps the last line of a command; most write one.
    if (type === 'command') return textValue(`outputs.${place.name}.stdout.trim()`);
    if (type === 'http') return any(`outputs.${place.name}.body`);
    return undefined;
  }

  private describe(): JsonObject {
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

  private text(key: string, field: SourceValue | undefined): JsonObject {
    if (typeof field?.value !== 'string' || field.value === '') return {};
    this.report.kept(key, field.place);
    return { [key]: field.value };
  }

  private when(scheduleZone: string | undefined): JsonObject {
    const zone = this.take('timezone') ?? this.dag.defaults.get('timezone');
    // Airflow 2 shows a zone as Timezone('Europe/Berlin').
    const name = typeof zone?.value === 'string' ? zone.value.replace(/^Timezone\('(.*)'\)$/, '$1') : undefined;
    const timezone = scheduleZone ?? (name !== undefined && name !== 'UTC' && isTimeZone(name) ? name : undefined);
    if (zone && timezone !== undefined)
      this.report.changed('timezone', `ds and other days are those of ${timezone} here; Airflow's are those of UTC`, zone.place);
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

  /** `default_args`: the keys of every task, and what is left for the operators that take it. */
  private defaults(): { readonly options: Record<string, Json>; readonly others: Fields } {
    const options: Record<string, Json> = {};
    const others = new Map<string, SourceValue>();
    for (const [key, field] of this.dag.defaults) {
      if (['owner', 'start_date', 'end_date', 'timezone'].includes(key)) continue;
      const converted = convertOption(key, field.value);
      // A trigger rule is said by each task here.
      if (converted === null || key === 'trigger_rule') others.set(key, field);
      else if (converted && 'lost' in converted) this.report.notKept(`default_args.${key}`, converted.lost, field.place);
      else if (converted) {
        Object.assign(options, converted.keys);
        if (converted.why === undefined) this.report.kept(`default_args.${key}`, field.place);
        else this.report.changed(`default_args.${key}`, converted.why, field.place);
      }
    }
    return { options, others };
  }

  /** The data sets of the DAG's tasks: they are the pipeline's here. */
  private datasets(key: 'inlets' | 'outlets'): JsonObject {
    const uris = new Set<string>();
    for (const task of this.dag.tasks) {
      const field = task.fields.get(key);
      if (!field || field.value === null) continue;
      if (!field.items) this.report.notKept(key, 'is not a list of datasets: write their URIs', field.place, task.id);
      for (const each of field.items ?? []) {
        const uri = uriOf(each.value);
        if (uri === undefined) this.report.notKept(key, 'has a dataset without a URI, or with a variable in its URI', each.place, task.id);
        else uris.add(uri);
      }
      if (field.items && field.items.length > 0)
        this.report.changed(key, 'is a key of the pipeline, not of the task', field.place, task.id);
    }
    return uris.size > 0 ? { [key]: [...uris] } : {};
  }

  /** Tells of the keys that nobody has read. */
  private rest(): void {
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

  private take(key: string): SourceValue | undefined {
    this.read.add(key);
    const field = this.dag.fields.get(key);
    return field?.value === null ? undefined : field;
  }

  private comments(): string[] {
    const lost = this.report.entries.filter(({ outcome, task }) => outcome === 'not_kept' && task === undefined);
    return [`Imported from ${formatPlace(this.dag.place)}`, ...lost.map(({ what, why }) => `not kept: ${what}: ${why}`)];
  }
}

/** Where no task waits for another, one must say so: tasks that say nothing run one after the other here, and all at once in Airflow. */
function startAtOnce(tasks: readonly WrittenTask[]): readonly WrittenTask[] {
  const [first, ...others] = tasks;
  if (!first || others.length === 0 || tasks.some(({ keys }) => keys.depends_on !== undefined)) return tasks;
  const { name = '', type = '', ...rest } = first.keys;
  return [{ keys: { name, type, depends_on: [], ...rest }, comments: first.comments }, ...others];
}

/** Our names of DAGs: of those that are imported together no two alike. */
export function dagNames(ours: ReadonlyMap<string, string>): (id: string) => string {
  return (id) => ours.get(id) ?? adaptName(id, 'dag');
}
