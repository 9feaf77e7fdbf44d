import type { Fields, Reference, SourceDag, SourceGroup, SourceTask } from './source-dag.ts';
import { ImportError, type Place, scalarOf, type SourceValue } from './source-value.ts';

const NO_FIELDS: Fields = new Map();
/** Names of the REST API, with their equivalents in Airflow's Python and dag-factory. */
const RENAMED: Readonly<Record<string, string>> = {
  dag_run_timeout: 'dagrun_timeout',
  schedule_interval: 'schedule',
  timetable_summary: 'schedule',
  template_search_path: 'template_searchpath',
  is_mapped: 'expand',
};
/** Keys about the server, the past and the UI, and keys that are read elsewhere in the response. */
const BOOKKEEPING: ReadonlySet<string> = new Set(
  `dag_id dag_display_name root_dag_id is_paused is_active is_stale is_subdag last_parsed_time last_parsed last_pickled last_expired
  last_loaded scheduler_lock pickle_id default_view fileloc relative_fileloc file_token timetable_description timetable_partitioned
  has_task_concurrency_limits has_import_errors next_dagrun next_dagrun_logical_date next_dagrun_run_after next_dagrun_create_after
  next_dagrun_data_interval_start next_dagrun_data_interval_end bundle_name bundle_version latest_dag_version owner_links is_favorite
  default_args orientation concurrency tasks total_entries dataset_expression asset_expression owners render_template_as_native_obj
  active_runs_count class_ref operator_name downstream_task_ids upstream_task_ids ui_color ui_fgcolor template_fields extra_links
  task_id task_display_name sub_dag weight_rule is_backfillable`.split(/\s+/),
);

/** The details of a DAG, `GET /dags/{id}/details`. */
export function isDagDetails({ fields = NO_FIELDS }: SourceValue): boolean {
  return typeof fields.get('dag_id')?.value === 'string' && ['fileloc', 'file_token', 'owners', 'is_paused'].some((key) => fields.has(key));
}

/** The tasks of a DAG, `GET /dags/{id}/tasks`. */
export function isTaskCollection({ fields = NO_FIELDS }: SourceValue): boolean {
  const tasks = fields.get('tasks')?.items;
  return (
    tasks !== undefined && tasks.every(({ fields: task }) => task?.has('task_id') && (task.has('class_ref') || task.has('operator_name')))
  );
}

/**
 * Reads a DAG from Airflow's REST API, version 1 (Airflow 2) or 2 (Airflow 3), which omits operator arguments.
 * @param details the response of `GET /dags/{id}/details`
 * @param collection the response of `GET /dags/{id}/tasks`
 */
export function readRestExport(details: SourceValue, collection: SourceValue): SourceDag {
  const id = String(details.fields?.get('dag_id')?.value);
  const tasks = (collection.fields?.get('tasks')?.items ?? []).map((task) => {
    const taskId = task.fields?.get('task_id')?.value;
    if (typeof taskId !== 'string') throw new ImportError("A task without 'task_id'.", task.place);
    return { id: taskId, place: task.place, fields: task.fields ?? NO_FIELDS };
  });
  if (tasks.length === 0) throw new ImportError(`DAG '${id}' has no tasks.`, details.place);
  const upstream = upstreamOf(tasks);
  const fields = new Map([['catchup', scalarOf(false, details.place)], ...known(details.fields ?? NO_FIELDS)]);
  const owners = details.fields?.get('owners');
  if (owners?.items) fields.set('owner', scalarOf(owners.items.map(({ value }) => String(value)).join(', '), owners.place));
  for (const key of ['dataset_expression', 'asset_expression']) {
    const expression = details.fields?.get(key);
    if (expression?.fields) fields.set('schedule', expression);
  }
  const groups = new Map<string, SourceGroup>();
  const read = tasks.map((task): SourceTask => {
    const operator = operatorOf(task.fields);
    const group = groupOf(task.id, task.place, groups);
    return {
      id: task.id,
      place: task.place,
      ...(operator !== undefined && { operator }),
      fields: withoutSame(known(task.fields), fields),
      upstream: upstream.get(task.id) ?? [],
      ...(group !== undefined && { group }),
    };
  });
  return { id, place: details.place, fields, defaults: NO_FIELDS, tasks: read, groups: [...groups.values()] };
}

/** The upstream tasks of each task; Airflow lists downstream tasks. */
export function upstreamOf(tasks: readonly { readonly id: string; readonly fields: Fields }[]): ReadonlyMap<string, readonly Reference[]> {
  const upstream = new Map<string, Reference[]>(tasks.map(({ id }) => [id, []]));
  for (const { id, fields } of tasks) {
    for (const { value, place } of fields.get('downstream_task_ids')?.items ?? []) {
      const known = upstream.get(String(value));
      if (!known) throw new ImportError(`Task '${id}' is followed by '${String(value)}', which is not among the tasks.`, place);
      known.push({ name: id, place });
    }
  }
  return upstream;
}

/** The fields of a task that differ from those of its DAG: Airflow repeats the DAG's fields in each task. */
export function withoutSame(fields: Fields, dag: Fields): Fields {
  const repeated = ['params', 'start_date', 'end_date'].filter(
    (key) => JSON.stringify(fields.get(key)?.value) === JSON.stringify(dag.get(key)?.value),
  );
  return new Map([...fields].filter(([key]) => !repeated.includes(key)));
}

/** The known keys, under their names in Airflow's Python. */
function known(fields: Fields): Fields {
  return new Map(
    [...fields].flatMap(([key, value]): [string, SourceValue][] =>
      BOOKKEEPING.has(key) || (value.value === null && RENAMED[key] !== 'schedule') ? [] : [[RENAMED[key] ?? key, value]],
    ),
  );
}

function operatorOf(fields: Fields): string | undefined {
  const reference = fields.get('class_ref')?.fields;
  const [module, name] = [reference?.get('module_path')?.value, reference?.get('class_name')?.value ?? fields.get('operator_name')?.value];
  if (typeof name !== 'string') return undefined;
  return typeof module === 'string' ? `${module}.${name}` : name;
}

/** The group of a task, from its id `group.task`: the API has no other information about groups. */
function groupOf(id: string, place: Place, groups: Map<string, SourceGroup>): string | undefined {
  const parts = id.split('.').slice(0, -1);
  for (const [index] of parts.entries()) {
    const group = parts.slice(0, index + 1).join('.');
    if (!groups.has(group)) {
      groups.set(group, { id: group, place, upstream: [], ...(index > 0 && { parent: parts.slice(0, index).join('.') }) });
    }
  }
  return parts.length > 0 ? parts.join('.') : undefined;
}
