import type { TaskType } from '../../activities/define-task.ts';
import { upstreamByDistance } from '../../workflows/plan/graph.ts';
import { didYouMean } from '../mistakes/diagnostic.ts';
import type { FillIn } from './fill-in.ts';
import type { TaskGraph } from './resolve-graph.ts';
import type { Source } from '../read/source.ts';
import { fullName, type TaskNode } from './task-node.ts';

/** For a task: which task's data it reads, and where it writes (`s3://bucket/dag/task`). */
export interface HandOver {
  readonly inputFrom?: string;
  readonly outputBase?: string;
}

/**
 * Resolves how tasks pass data to each other where the file leaves it open. A reader takes its nearest upstream dataset. A writer without a
 * bucket uses the bucket that its readers name, else the one it reads from. `inputs` and `outputs` of a task take precedence.
 * @returns by task name; mistakes are in `source`
 */
export function resolveData(
  source: Source,
  dagId: string,
  nodes: readonly TaskNode[],
  graph: TaskGraph,
  types: ReadonlyMap<string, TaskType>,
  filledIn: FillIn[],
): ReadonlyMap<string, HandOver> {
  const tasks = new Map(
    nodes.map(({ name = '', keys, path, group, type = '' }) => [name, { task: keys, path, group, type: types.get(type) }]),
  );
  const inputs = new Map<string, string>();
  for (const name of graph.order) {
    const { task, path, type } = tasks.get(name) ?? {};
    if (!task || !path) continue;
    if (typeof task.inputs === 'string') {
      nameInput(name, task.inputs);
      continue;
    }
    if (!type?.data.reads || namesSource(task, type)) continue;
    const rings = upstreamByDistance(graph.upstream, name).map((ring) => ring.filter((each) => tasks.get(each)?.type?.data.writes));
    const producers = rings.find((ring) => ring.length > 0) ?? [];
    const [producer] = producers;
    if (producer === undefined) {
      source.report(
        'SL401',
        [...path, 'name'],
        `Task '${name}' reads data, but no upstream task produces any.`,
        'add an upstream task that produces data, such as postgres_to_s3',
      );
    } else if (producers.length > 1) {
      source.report(
        'SL402',
        [...path, 'name'],
        `Task '${name}' could read the data of ${producers.join(' or ')}; the choice is ambiguous.`,
        'choose one with `inputs:`',
      );
    } else {
      inputs.set(name, producer);
      filledIn.push({ task: name, what: 'reads', value: `the data of ${producer}`, why: 'its nearest upstream task that produces data' });
    }
  }

  const buckets = new Map<string, string>();
  for (const name of graph.order) {
    const { task, path, type } = tasks.get(name) ?? {};
    if (!task || !path || !type?.data.writes || typeof task.outputs === 'string') continue;
    const key = type.data.writes.bucketKey;
    if (key !== undefined) {
      const named = task[key];
      if (typeof named === 'string') buckets.set(name, named);
      continue;
    }
    const required = readersOf(name).flatMap((reader) => bucketWanted(reader) ?? []);
    const distinct = [...new Set(required)];
    if (distinct.length > 1) {
      source.report(
        'SL404',
        [...path, 'name'],
        `Task '${name}' cannot write to ${distinct.join(' and ')} at once: the tasks that read its data name different buckets.`,
        'name the same bucket in each of them',
      );
      continue;
    }
    const input = inputs.get(name);
    if (input === undefined && type.data.reads && !namesSource(task, type)) continue; // its missing input has been reported
    const bucket = distinct[0] ?? (input === undefined ? bucketWanted(name) : buckets.get(input));
    if (bucket === undefined) {
      source.report(
        'SL404',
        [...path, 'name'],
        `The bucket that task '${name}' writes to is unknown.`,
        'add a task with an s3_bucket that reads its data, or write outputs: s3://bucket/prefix',
      );
      continue;
    }
    buckets.set(name, bucket);
    filledIn.push({
      task: name,
      what: 'writes to',
      value: `s3://${bucket}/${dagId}/${name}/`,
      why: distinct.length > 0 ? 'the bucket that its reader names' : 'the bucket that it reads from',
    });
  }

  for (const [reader, producer] of inputs) {
    const { path = [], type, task } = tasks.get(reader) ?? {};
    const required = bucketWanted(reader);
    const actual = buckets.get(producer);
    const key = type?.data.reads?.bucketKey;
    if (typeof task?.inputs === 'string' || required === undefined || actual === undefined || required === actual || key === undefined)
      continue;
    // If a bucket's name is refused, do not also report that the buckets differ.
    if ([reader, producer].some((name) => source.isReported([...(tasks.get(name)?.path ?? []), 's3_bucket']))) continue;
    source.report(
      'SL403',
      [...path, key],
      `Task '${reader}' reads its data from bucket '${required}', but '${producer}' writes to '${actual}'.`,
      `write '${actual}', or add s3_key to load something else`,
    );
  }

  return new Map(
    graph.order.map((name) => {
      const input = inputs.get(name);
      const bucket = buckets.get(name);
      const chosen = tasks.get(name)?.task.outputs;
      const outputBase =
        typeof chosen === 'string' ? chosen.replace(/\/$/, '') : bucket === undefined ? undefined : `s3://${bucket}/${dagId}/${name}`;
      return [
        name,
        {
          ...(input !== undefined && { inputFrom: input }),
          ...(outputBase !== undefined && { outputBase }),
        },
      ];
    }),
  );

  /** Checks the task that `inputs` names: it must be upstream and produce data. */
  function nameInput(name: string, given: string): void {
    const { path = [], type } = tasks.get(name) ?? {};
    const before = upstreamByDistance(graph.upstream, name).flat();
    const makers = before.filter((each) => tasks.get(each)?.type?.data.writes);
    const producer = fullName(given, tasks.get(name)?.group, (each) => makers.includes(each));
    const at = [...path, 'inputs'];
    if (!type?.data.reads) {
      source.reportKey(
        'SL401',
        at,
        `A ${type?.type ?? ''} task does not read data of another task.`,
        'remove inputs, or read outputs.<task> in an expression',
      );
    } else if (producer === undefined) {
      const why = before.includes(given)
        ? 'produces no data'
        : tasks.has(given)
          ? 'is not upstream of this task'
          : 'is not a task of this list';
      source.report(
        'SL401',
        at,
        `'${given}' ${why}.`,
        didYouMean(given, makers) ?? `upstream tasks that produce data: ${makers.join(', ') || 'none'}`,
      );
    } else {
      inputs.set(name, producer);
    }
  }

  function readersOf(producer: string): string[] {
    return [...inputs].filter(([, from]) => from === producer).map(([reader]) => reader);
  }

  function bucketWanted(reader: string): string | undefined {
    const { task, type } = tasks.get(reader) ?? {};
    const key = type?.data.reads?.bucketKey;
    const bucket = key === undefined ? undefined : task?.[key];
    return typeof bucket === 'string' ? bucket : undefined;
  }
}

/** Whether a task reads something else than the data of an upstream task. */
function namesSource(task: TaskNode['keys'], type: TaskType): boolean {
  return (type.data.reads?.instead ?? ['s3_key']).some((key) => task[key] !== undefined);
}
