import { upstreamOf, withoutSame } from './read-rest-export.ts';
import type { Fields, SourceDag, SourceGroup, SourceTask } from './source-dag.ts';
import { ImportError, mapOf, type Place, scalarOf, type SourceValue } from './source-value.ts';

const NO_FIELDS: Fields = new Map();
const VERSIONS: readonly unknown[] = [1, 2, 3];
/** Names of earlier versions, with those of later versions, Airflow's Python and dag-factory. */
const RENAMED: Readonly<Record<string, string>> = {
  _dag_id: 'dag_id',
  _description: 'description',
  _task_group: 'task_group',
  _task_type: 'task_type',
  _task_module: 'task_module',
  _concurrency: 'concurrency',
  _max_active_tasks: 'max_active_tasks',
  schedule_interval: 'schedule',
  timetable: 'schedule',
  expand_input: 'expand',
  has_on_success_callback: 'on_success_callback',
  has_on_failure_callback: 'on_failure_callback',
  has_on_retry_callback: 'on_retry_callback',
  has_on_execute_callback: 'on_execute_callback',
  has_on_skipped_callback: 'on_skipped_callback',
};
/** Keys that Airflow uses internally or for its UI, and keys that are read elsewhere. */
const BOOKKEEPING: ReadonlySet<string> = new Set(
  `dag_id fileloc relative_fileloc _processor_dags_folder tasks task_group edge_info dag_dependencies deadline default_args
  _dag_display_property_value dag_display_name _default_view _access_control access_control is_subdag orientation owner_links
  disable_bundle_versioning has_deadline allowed_run_types task_id label task_type task_module _operator_name template_fields
  template_ext template_fields_renderers ui_color ui_fgcolor downstream_task_ids _is_empty _is_dummy _is_sensor _is_mapped
  _can_skip_downstream _needs_expansion _disallow_kwargs_override start_from_trigger start_trigger_args inherits_from_empty_operator
  inherits_from_skipmixin is_setup is_teardown _operator_extra_links operator_extra_links deps partial_kwargs subdag task_display_name
  _logger_name _log_config_logger_name _expand_input_attr weight_rule render_template_as_native_obj`.split(/\s+/),
);

/** Whether `value` is a DAG as stored in Airflow's table `serialized_dag`. */
export function isSerializedDag({ fields = NO_FIELDS }: SourceValue): boolean {
  return fields.has('__version') && fields.has('dag');
}

/** @throws ImportError when the version is not 1 to 3, or a required key is missing */
export function readSerializedDag(value: SourceValue): SourceDag {
  const version = value.fields?.get('__version');
  if (!VERSIONS.includes(version?.value)) {
    const given = JSON.stringify(version?.value);
    throw new ImportError(`This DAG is serialized in version ${given}; versions 1 to 3 can be read.`, version?.place ?? value.place);
  }
  const dag = decode(value.fields?.get('dag') ?? value);
  const all = rename(dag.fields ?? NO_FIELDS);
  const id = all.get('dag_id')?.value;
  if (typeof id !== 'string') throw new ImportError("The DAG has no 'dag_id'.", dag.place);
  const shared = decode(value.fields?.get('client_defaults') ?? value).fields?.get('tasks')?.fields ?? NO_FIELDS;
  const groups = new Map<string, SourceGroup>();
  const groupOf = new Map<string, string>();
  const root = all.get('task_group')?.fields;
  if (root) readGroups(root, undefined, groups, groupOf);
  const tasks = (all.get('tasks')?.items ?? []).map((task) => {
    const fields = new Map([
      ...unsaid(task.place),
      ...shared,
      ...(task.fields?.get('partial_kwargs')?.fields ?? []),
      ...(task.fields ?? []),
    ]);
    const taskId = fields.get('task_id')?.value;
    if (typeof taskId !== 'string') throw new ImportError("A task without 'task_id'.", task.place);
    return { id: taskId, place: task.place, fields };
  });
  if (tasks.length === 0) throw new ImportError(`DAG '${id}' has no tasks.`, dag.place);
  const upstream = upstreamOf(tasks);
  return {
    id,
    place: dag.place,
    // Later versions omit keys that have Airflow's default.
    fields: new Map([['catchup', scalarOf(false, dag.place)], ...known(all)]),
    // Airflow copies default_args into the tasks, which are read instead. Only the owner comes from the DAG.
    defaults: new Map([...(all.get('default_args')?.fields ?? [])].filter(([key]) => key === 'owner')),
    tasks: tasks.map((task): SourceTask => {
      const fields = rename(task.fields);
      const [module, name] = [fields.get('task_module')?.value, fields.get('task_type')?.value];
      const group = groupOf.get(task.id);
      return {
        id: task.id,
        place: task.place,
        ...(typeof name === 'string' && { operator: typeof module === 'string' ? `${module}.${name}` : name }),
        fields: withoutSame(withMappedList(known(fields)), all),
        upstream: upstream.get(task.id) ?? [],
        ...(group !== undefined && { group }),
      };
    }),
    groups: [...groups.values()],
  };
}

/** The values of keys that the file omits. */
function unsaid(place: Place): Fields {
  return new Map([
    ['retries', scalarOf(0, place)],
    ['retry_delay', scalarOf(300, place)],
  ]);
}

/** Unwraps `__type` wrappers of lists, maps and operators, whose values show the type. Times keep theirs. */
function decode(value: SourceValue): SourceValue {
  if (value.items) {
    const items = value.items.map(decode);
    return { ...value, value: items.map((each) => each.value), items };
  }
  if (!value.fields) return value;
  const type = value.fields.get('__type')?.value;
  const inner = value.fields.get('__var');
  if (inner && (type === 'dict' || type === 'operator' || type === 'set' || type === 'tuple'))
    return { ...decode(inner), place: value.place };
  return mapOf(new Map([...value.fields].map(([key, each]) => [key, decode(each)])), value.place);
}

function rename(fields: Fields): Fields {
  return new Map([...fields].map(([key, value]) => [RENAMED[key] ?? key, value]));
}

/** Unwraps `{type: dict-of-lists, value: {…}}` of a mapped task, whose value dag-factory writes as `expand`. */
function withMappedList(fields: Fields): Fields {
  const expand = fields.get('expand')?.fields;
  const lists = expand?.get('type')?.value === 'dict-of-lists' ? expand.get('value') : undefined;
  return lists ? new Map([...fields, ['expand', lists]]) : fields;
}

function known(fields: Fields): Fields {
  return new Map([...fields].filter(([key, { value }]) => !BOOKKEEPING.has(key) && (value !== null || key === 'schedule')));
}

/** Reads the tree of groups: `children` maps an id to `["operator", id]` or `["taskgroup", {…}]`. */
function readGroups(group: Fields, id: string | undefined, groups: Map<string, SourceGroup>, groupOf: Map<string, string>): void {
  for (const [childId, child] of group.get('children')?.fields ?? NO_FIELDS) {
    const [kind, inner] = child.items ?? [];
    if (kind?.value !== 'taskgroup') {
      if (id !== undefined) groupOf.set(childId, id);
    } else if (inner?.fields) {
      groups.set(childId, { id: childId, place: child.place, upstream: [], ...(id !== undefined && { parent: id }) });
      readGroups(inner.fields, childId, groups, groupOf);
    }
  }
}
