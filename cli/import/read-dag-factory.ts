import type { Fields, Reference, SourceDag, SourceGroup, SourceTask } from './source-dag.ts';
import { ImportError, mapOf, type Place, scalarOf, type SourceValue } from './source-value.ts';

const NO_FIELDS: Fields = new Map();
/** Top-level keys that are not DAGs. */
const SYSTEM_KEYS: ReadonlySet<string> = new Set(['default', 'task_groups']);
/** Keys of tasks and groups that define structure, not behavior. */
const STRUCTURE: ReadonlySet<string> = new Set([
  'task_id',
  'group_name',
  'operator',
  'decorator',
  'dependencies',
  'task_group_name',
  'parent_group_name',
  'partial',
]);

/** Whether `value` looks like a dag-factory file: a map of DAGs, each a map with tasks. */
export function isDagFactory({ fields = NO_FIELDS }: SourceValue): boolean {
  return fields.has('default') || [...fields.values()].some((each) => each.fields?.has('tasks'));
}

/**
 * Reads the DAGs of a dag-factory file, 0.x or 1.x, with `default` merged into each.
 * @returns for each top-level key its DAG, or why it cannot be read
 */
export function readDagFactory(value: SourceValue): (SourceDag | ImportError)[] {
  const defaults = normalise(value.fields?.get('default'));
  return [...(value.fields ?? NO_FIELDS)].flatMap(([id, each]): (SourceDag | ImportError)[] => {
    if (SYSTEM_KEYS.has(id)) return [];
    try {
      return [readDag(id, each, defaults)];
    } catch (error) {
      if (error instanceof ImportError) return [error];
      throw error;
    }
  });
}

function readDag(id: string, value: SourceValue, defaults: Fields): SourceDag {
  if (!value.fields) throw new ImportError(`'${id}' is not a DAG: a DAG is a map of keys, with 'tasks'.`, value.place);
  const fields = merge(normalise(value), defaults);
  const tasks = fields.get('tasks')?.fields ?? NO_FIELDS;
  if (tasks.size === 0) {
    throw new ImportError(`DAG '${id}' has no tasks. If a key is not a DAG, such as one for anchors, remove it.`, value.place);
  }
  const groups = new Map([...(fields.get('task_groups')?.fields ?? NO_FIELDS)].map(([name, group]) => [name, readGroup(name, group)]));
  const own = fields.get('dag_id')?.value;
  return {
    id: typeof own === 'string' && own !== '' ? own : id,
    place: value.place,
    fields: without(fields, ['dag_id', 'tasks', 'task_groups', 'default_args']),
    defaults: fields.get('default_args')?.fields ?? NO_FIELDS,
    tasks: [...tasks].map(([name, task]) => readTask(name, task, fields.get('task_groups')?.fields ?? NO_FIELDS)),
    groups: [...groups.values()],
  };
}

function readGroup(id: string, { place, fields = NO_FIELDS }: SourceValue): SourceGroup {
  const parent = fields.get('parent_group_name')?.value;
  return { id, place, upstream: references(fields.get('dependencies')), ...(typeof parent === 'string' && { parent }) };
}

function readTask(id: string, { place, fields = NO_FIELDS }: SourceValue, groups: Fields): SourceTask {
  const operator = [fields.get('operator')?.value, fields.get('decorator')?.value].find((each) => typeof each === 'string');
  const group = fields.get('task_group_name')?.value;
  const groupDefaults = typeof group === 'string' ? groups.get(group)?.fields?.get('default_args')?.fields : undefined;
  const own = new Map([...(fields.get('partial')?.fields ?? NO_FIELDS), ...without(fields, STRUCTURE)]);
  return {
    id,
    place,
    ...(typeof operator === 'string' && { operator }),
    fields: new Map([...(groupDefaults ?? NO_FIELDS), ...own]),
    upstream: references(fields.get('dependencies')),
    // An undeclared group is ignored, as in dag-factory.
    ...(typeof group === 'string' && groups.has(group) && { group }),
  };
}

function references(value: SourceValue | undefined): Reference[] {
  const items = value?.items ?? (typeof value?.value === 'string' ? [value] : []);
  return items.flatMap((item) => (typeof item.value === 'string' ? [{ name: item.value, place: item.place }] : []));
}

/**
 * Normalizes the fields of a DAG or of `default`: lists of tasks and groups become maps; `__type__: builtins.list` and `__join__` are
 * evaluated.
 */
function normalise(value: SourceValue | undefined): Fields {
  const fields = new Map([...(value?.fields ?? NO_FIELDS)].map(([key, each]) => [key, plain(each)]));
  for (const [list, key] of Object.entries({ tasks: 'task_id', task_groups: 'group_name' })) {
    const given = fields.get(list);
    if (given?.items) fields.set(list, byName(given, key));
    else if (given && given.value !== null && !given.fields) {
      throw new ImportError(`'${list}' must be a map or a list of maps that each have '${key}'.`, given.place);
    }
  }
  return fields;
}

function byName({ items = [], place }: SourceValue, key: string): SourceValue {
  const named = new Map<string, SourceValue>();
  for (const item of items) {
    const name = item.fields?.get(key) ?? item.fields?.get('name');
    if (typeof name?.value !== 'string') throw new ImportError(`Each item of this list must be a map with '${key}'.`, item.place);
    if (named.has(name.value)) throw new ImportError(`'${name.value}' is listed twice. Give each item a different ${key}.`, name.place);
    named.set(name.value, { ...item, place: name.place });
  }
  return mapOf(named, place);
}

function plain(value: SourceValue): SourceValue {
  if (value.items) return listOf(value.items.map(plain), value.place);
  if (!value.fields) return value;
  const list = value.fields.get('__type__')?.value === 'builtins.list' ? value.fields.get('items') : undefined;
  if (list?.items) return listOf(list.items.map(plain), value.place);
  const joined = value.fields.get('__join__')?.items;
  if (joined) return scalarOf(joined.map((each) => String(plain(each).value)).join(''), value.place);
  return mapOf(new Map([...value.fields].map(([key, each]) => [key, plain(each)])), value.place);
}

function listOf(items: readonly SourceValue[], place: Place): SourceValue {
  return { place, value: items.map(({ value }) => value), items, size: items.reduce((sum, { size }) => sum + size, 1) };
}

/** Merges `other` into `own` recursively; `own` wins. */
function merge(own: Fields, other: Fields): Fields {
  const merged = new Map(own);
  for (const [key, theirs] of other) {
    const ours = own.get(key);
    if (!ours) merged.set(key, theirs);
    else if (ours.fields && theirs.fields) merged.set(key, mapOf(merge(ours.fields, theirs.fields), ours.place));
  }
  return merged;
}

function without(fields: Fields, keys: Iterable<string>): Fields {
  const left = new Map(fields);
  for (const key of keys) left.delete(key);
  return left;
}
