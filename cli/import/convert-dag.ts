import type { Json, JsonObject } from '../../workflows/plan/values/json.ts';
import { convertOption } from './convert-options.ts';
import { convertParams } from './convert-params.ts';
import { convertSchedule, uriOf } from './convert-schedule.ts';
import { convertTask, type WrittenTask } from './convert-task.ts';
import { ImportedParams } from './imported-params.ts';
import { any, text as textValue, type Value } from './jinja-values.ts';
import { mappingOf } from './operators/catalog.ts';
import { DagKeys } from './dag-keys.ts';
import { adaptName } from './names.ts';
import { placeTasks, type TaskPlace } from './place-tasks.ts';
import { Report } from './report.ts';
import { shareOptions, type SharedOptions } from './share-options.ts';
import type { Fields, SourceDag } from './source-dag.ts';
import { formatPlace, type SourceValue } from './source-value.ts';

/** A pipeline to write. */
export interface WrittenPipeline {
  /** Comments at the top of the file. */
  readonly comments: readonly string[];
  /** All keys except the tasks, in order. */
  readonly keys: JsonObject;
  readonly tasks: readonly WrittenTask[];
}

/**
 * Converts a DAG to a pipeline.
 * @param dagName maps a DAG id to a pipeline name, for this DAG and those it refers to
 * @throws ImportError when the DAG cannot be converted
 */
export function convertDag(
  dag: SourceDag,
  dagName: (id: string) => string,
): { readonly pipeline: WrittenPipeline; readonly report: Report } {
  const report = new Report();
  return { pipeline: new DagConverter(dag, dagName, report).convert(), report };
}

class DagConverter {
  private readonly keys: DagKeys;

  constructor(
    private readonly dag: SourceDag,
    private readonly dagName: (id: string) => string,
    private readonly report: Report,
  ) {
    this.keys = new DagKeys(dag, report);
  }

  convert(): WrittenPipeline {
    const { dag, report } = this;
    const dagId = this.dagName(dag.id);
    if (dagId !== dag.id) report.changed('dag_id', `is '${dagId}': lowercase letters, digits and _`, dag.place);
    const places = placeTasks(dag, report);
    const { names: params, keys: declared } = convertParams(this.keys.take('params'), report);
    const described = this.keys.describe();
    const { timezone: zone, ...schedule } = convertSchedule(dag, report);
    this.keys.markRead(['schedule', 'schedule_interval', 'timetable']);
    const when = this.keys.when(zone);
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
        followers: this.followersOf(place, places).map((each) => each.name),
        dagName: this.dagName,
        report,
      });
      const { name, type, owner, ...others } = keys;
      const rest = owner === undefined || owner === described.owner ? others : { ...others, owner };
      const placement = {
        ...(place.group !== undefined && { group: place.group }),
        ...(place.dependsOn.length > 0 && { depends_on: place.dependsOn }),
      };
      return { keys: { name: name ?? place.name, type: type ?? 'empty', ...placement, ...rest }, comments };
    });
    const guarded = this.behindShortCircuits(tasks, places);
    const datasets = { ...this.datasets('inlets'), ...this.datasets('outlets') };
    this.keys.reportRest();
    const all = shareOptions(options, guarded);
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

  /** Drops keys that need a timetable. Without one, runs have no earlier interval, and every manual run is the latest, as in Airflow. */
  private withoutTimetable(shared: SharedOptions): SharedOptions {
    const isAbout = (key: string): boolean => ['depends_on_past', 'latest_only'].includes(key);
    this.report.lose(['depends_on_past', 'wait_for_downstream'], 'needs a schedule: without one, runs have no earlier interval');
    const without = (keys: JsonObject): JsonObject => Object.fromEntries(Object.entries(keys).filter(([key]) => !isAbout(key)));
    return { ...shared, defaults: without(shared.defaults), tasks: shared.tasks.map((task) => ({ ...task, keys: without(task.keys) })) };
  }

  /** Drops trigger rules behind a short circuit, which skips all of them in Airflow: they would run when the placeholder for it fails. */
  private behindShortCircuits(tasks: readonly WrittenTask[], places: ReadonlyMap<string, TaskPlace>): readonly WrittenTask[] {
    const behind = new Set<string>();
    const add = (place: TaskPlace): void => {
      for (const each of this.followersOf(place, places)) {
        if (behind.has(each.name)) continue;
        behind.add(each.name);
        add(each);
      }
    };
    for (const { id, operator } of this.dag.tasks) {
      const place = places.get(id);
      if (place && /short_?circuit/i.test(operator ?? '')) add(place);
    }
    return tasks.map((task) => {
      const { trigger_rule: rule, ...keys } = task.keys;
      if (rule === undefined || !behind.has(String(keys.name))) return task;
      const why = `${String(rule)} is not kept: a short circuit before it skips it in Airflow, and here it would run when the placeholder fails`;
      this.report.notKept('trigger_rule', why, this.dag.place, String(keys.name));
      return { keys, comments: [...task.comments, `not kept: trigger_rule ${why}`] };
    });
  }

  /** The tasks that depend on the one at `place`. */
  private followersOf({ name, group }: TaskPlace, places: ReadonlyMap<string, TaskPlace>): TaskPlace[] {
    const id = group === undefined ? name : `${group}.${name}`;
    return [...places.values()].filter((each) => each.dependsOn.some((on) => on === id || (each.group === group && on === name)));
  }

  /** The XCom value of a task, as an expression. */
  private outputOf(id: string, places: ReadonlyMap<string, TaskPlace>): Value | undefined {
    const place = places.get(id);
    const operator = this.dag.tasks.find((task) => task.id === id)?.operator;
    const type = operator === undefined ? undefined : mappingOf(operator)?.type;
    if (!place || place.group !== undefined) return undefined;
    // Airflow keeps only the last line of a command; most commands print one.
    if (type === 'command') return textValue(`outputs.${place.name}.stdout.trim()`);
    if (type === 'http') return any(`outputs.${place.name}.body`);
    return undefined;
  }

  /** Splits `default_args` into keys of every task and arguments of operators. */
  private defaults(): { readonly options: Record<string, Json>; readonly others: Fields } {
    const options: Record<string, Json> = {};
    const others = new Map<string, SourceValue>();
    for (const [key, field] of this.dag.defaults) {
      if (['owner', 'start_date', 'end_date', 'timezone'].includes(key)) continue;
      const converted = convertOption(key, field.value);
      // Each task states its own trigger rule in Sluice.
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

  /** The datasets of the DAG's tasks; in Sluice they belong to the pipeline. */
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

  private comments(): string[] {
    const lost = this.report.entries.filter(({ outcome, task }) => outcome === 'not_kept' && task === undefined);
    return [`Imported from ${formatPlace(this.dag.place)}`, ...lost.map(({ what, why }) => `not kept: ${what}: ${why}`)];
  }
}

/** If no task has dependencies, states that explicitly: tasks would run in sequence by default, but all at once in Airflow. */
function startAtOnce(tasks: readonly WrittenTask[]): readonly WrittenTask[] {
  const [first, ...others] = tasks;
  if (!first || others.length === 0 || tasks.some(({ keys }) => keys.depends_on !== undefined)) return tasks;
  const { name = '', type = '', ...rest } = first.keys;
  return [{ keys: { name, type, depends_on: [], ...rest }, comments: first.comments }, ...others];
}

/** Maps DAG ids to pipeline names, unique among the DAGs that are imported together. */
export function dagNames(ours: ReadonlyMap<string, string>): (id: string) => string {
  return (id) => ours.get(id) ?? adaptName(id, 'dag');
}
