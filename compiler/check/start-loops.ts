import { findCycle } from '../../workflows/plan/graph.ts';
import type { Json } from '../../workflows/plan/values/json.ts';
import { allTasks, type Plan } from '../../workflows/plan/plan.ts';
import { isSeen, type Place } from '../../workflows/plan/datasets/places.ts';
import type { TaskType } from '../../activities/define-task.ts';
import type { TriggerType } from '../../sensors/define-trigger.ts';
import { isTemplate } from '../../workflows/plan/expressions/template.ts';
import type { Linkable } from '../resolve/linkable.ts';
import type { Path } from '../read/source.ts';
import { taskNodes } from '../resolve/task-node.ts';

/** The types of tasks and triggers, by name. */
export interface Catalogs {
  readonly tasks: ReadonlyMap<string, TaskType>;
  readonly triggers: ReadonlyMap<string, TriggerType>;
}

/** A start: a run of one pipeline starts a run of another. */
interface Start {
  readonly from: string;
  readonly to: string;
  /** The link, if no task or trigger names the other pipeline directly: a dataset, a bucket, a topic, a queue. */
  readonly through?: string;
  readonly isDataset?: boolean;
  /** The trigger has a condition or a deduplication key, which may end the cycle at run time. */
  readonly isConditional?: boolean;
  /** The place's name continues with an expression, which may lead elsewhere at run time. */
  readonly isOpen?: boolean;
  /** The file to report: the file of `from` for a task, the file of `to` for a trigger. */
  readonly owner: string;
  readonly path: Path;
}

/**
 * Refuses pipelines whose runs start each other, or themselves, endlessly: by tasks, by triggers on runs, by datasets, and by tasks that
 * write to places that triggers watch. A trigger on `all` of several datasets is endless only if each of them is produced within the
 * cycle. If a condition may end a cycle, it is a warning.
 */
export function reportLoops(files: readonly Linkable[], catalogs: Catalogs): void {
  const own = files.flatMap(({ plan, value }) => (plan && value ? [{ plan, value }] : []));
  const plans = new Map(own.map(({ plan }) => [plan.dagId, plan]));
  const makers = new Map<string, string[]>();
  for (const { plan } of own) for (const uri of plan.outlets ?? []) makers.set(uri, [...(makers.get(uri) ?? []), plan.dagId]);
  const written = own.flatMap(({ plan }) => placesOf(plan, catalogs));
  const all = own.flatMap(({ plan, value }) => [
    ...startsByTasks(plan, value),
    ...startsByTriggers(plan, makers),
    ...startsByPlaces(plan, written, catalogs),
  ]);
  const reported = new Set<string>();
  for (const starts of [all.filter(({ isConditional, isOpen }) => !isConditional && !isOpen), all]) {
    const caught = endless(plans, makers, starts);
    const left = new Set([...caught].filter((dagId) => !reported.has(dagId)));
    for (;;) {
      const within = starts.filter(({ from, to }) => left.has(from) && left.has(to));
      const cycle = findCycle(new Map([...left].map((dagId) => [dagId, within.filter(({ to }) => to === dagId).map(({ from }) => from)])));
      if (!cycle) break;
      reportCycle(files, cycle, within);
      for (const dagId of cycle) {
        left.delete(dagId);
        reported.add(dagId);
      }
    }
  }
}

/** The pipelines that keep starting each other. */
function endless(plans: ReadonlyMap<string, Plan>, makers: ReadonlyMap<string, readonly string[]>, starts: readonly Start[]): Set<string> {
  const causes = new Map<string, Start[]>();
  for (const start of starts) {
    const known = causes.get(start.to);
    if (known) known.push(start);
    else causes.set(start.to, [start]);
  }
  const left = new Set(causes.keys());
  const isMadeWithin = (uri: string): boolean => (makers.get(uri) ?? []).some((maker) => left.has(maker));
  for (let size = -1; size !== left.size;) {
    size = left.size;
    for (const dagId of left) {
      const isStarted = (causes.get(dagId) ?? []).some(({ from, isDataset, path }) => {
        const all = !isDataset ? [] : textsIn(plans.get(dagId)?.triggers?.[Number(path[1])]?.source.all);
        return left.has(from) && all.every(isMadeWithin);
      });
      if (!isStarted) left.delete(dagId);
    }
  }
  return left;
}

function startsByTasks(plan: Plan, value: NonNullable<Linkable['value']>): Start[] {
  const started = new Set(allTasks(plan).flatMap(({ type, params }) => (type === 'run_pipeline' ? [String(params.dag_id)] : [])));
  return [...started].flatMap((to) => {
    const task = taskNodes(value).find(({ type, keys }) => type === 'run_pipeline' && keys.dag_id === to);
    return task ? [{ from: plan.dagId, to, owner: plan.dagId, path: [...task.path, 'dag_id'] }] : [];
  });
}

function startsByTriggers({ dagId: to, triggers = [] }: Plan, makers: ReadonlyMap<string, readonly string[]>): Start[] {
  return triggers.flatMap(({ type, source }, index) => {
    const path: Path = ['triggers', index];
    if (type === 'pipeline') return [{ from: String(source.dag_id), to, owner: to, path: [...path, 'dag_id'] }];
    if (type !== 'dataset') return [];
    return (['any', 'all'] as const).flatMap((key) =>
      textsIn(source[key]).flatMap((dataset, position) =>
        (makers.get(dataset) ?? []).map((from) => ({
          from,
          to,
          through: dataset,
          isDataset: true,
          owner: to,
          path: [...path, key, position],
        })),
      ),
    );
  });
}

/** A place that a task of a pipeline writes to. */
interface WrittenPlace extends Place {
  readonly dagId: string;
  readonly connection: string;
  /** The name is only a prefix, because an expression follows. */
  readonly isOpen: boolean;
}

/** The places where the tasks of a pipeline write, if the file names them. */
function placesOf(plan: Plan, { tasks: types }: Catalogs): WrittenPlace[] {
  return allTasks(plan).flatMap((task): WrittenPlace[] => {
    const type = types.get(task.type);
    if (!type) return [];
    const { params, outputBase } = task;
    const written = type.writesTo?.(params as never) ?? [];
    const folder = outputBase?.replace(/^s3:\/\//, '');
    const bucketKey = type.data.writes?.bucketKey;
    const named =
      bucketKey !== undefined && typeof params.s3_key === 'string'
        ? `${String(params[bucketKey])}/${params.s3_key.split('{{')[0]}`
        : undefined;
    const data = type.data.writes ? (named ?? (folder === undefined ? undefined : `${folder}/`)) : undefined;
    const storage = Object.entries(type.connections).find(([, { types: kinds }]) => kinds.includes('aws'))?.[0] ?? '';
    return [...written, ...(data === undefined ? [] : [{ kind: 'S3' as const, name: data, connection: storage }])].flatMap(
      ({ connection: need, ...place }) => {
        const { key = '', default: usual } = type.connections[need] ?? {};
        const isOpen = place.name === named && isTemplate(String(params.s3_key));
        return isTemplate(place.name) ? [] : [{ ...place, isOpen, dagId: plan.dagId, connection: String(params[key] ?? usual) }];
      },
    );
  });
}

function startsByPlaces({ dagId: to, triggers = [] }: Plan, written: readonly WrittenPlace[], { triggers: types }: Catalogs): Start[] {
  return triggers.flatMap(({ type, source, when, dedupKey }, index) => {
    const { watches, connection } = types.get(type) ?? {};
    const listens = String(source.conn_id ?? connection?.default);
    const isConditional = when !== undefined || dedupKey !== undefined;
    return (watches?.(source) ?? []).flatMap((watched) =>
      written
        .filter((place) => place.connection === listens && isSeen(place, watched))
        .map(({ dagId: from, kind, name, isOpen }): Start => {
          const through = kind === 'S3' ? `s3://${name}` : `${kind} ${name}`;
          return {
            from,
            to,
            through,
            owner: to,
            path: ['triggers', index, 'type'],
            ...(isConditional && { isConditional }),
            ...(isOpen && !name.startsWith(watched.name) && { isOpen }),
          };
        }),
    );
  });
}

function reportCycle(files: readonly Linkable[], cycle: readonly string[], starts: readonly Start[]): void {
  const steps = cycle.slice(1).flatMap((to, index) => starts.find((each) => each.from === cycle[index] && each.to === to) ?? []);
  const way = [cycle[0], ...steps.flatMap(({ through, to }) => (through === undefined ? [to] : [through, to]))].join(' → ');
  const isAlone = cycle.length === 2;
  const isConditional = steps.some((step) => step.isConditional);
  const isOpen = steps.some((step) => step.isOpen);
  for (const { source, plan } of files) {
    const step = steps.find(({ owner }) => owner === plan?.dagId);
    if (!step) continue;
    if (isConditional || isOpen) {
      source.report(
        'SL317',
        step.path,
        `${isAlone ? 'This pipeline starts itself' : 'These pipelines start each other'}, endlessly unless ${isOpen ? 'an expression gives another name' : 'a condition stops it'}: ${way}.`,
        'watch a place that none of them writes to',
      );
      continue;
    }
    source.report(
      'SL307',
      step.path,
      isAlone ? `This pipeline starts itself endlessly: ${way}.` : `These pipelines start each other endlessly: ${way}.`,
      'break the cycle: remove a trigger, a task or an outlet, or watch a place that none of them writes to',
    );
  }
}

function textsIn(value: Json | undefined): string[] {
  return Array.isArray(value) ? (value as readonly Json[]).filter((each) => typeof each === 'string') : [];
}
