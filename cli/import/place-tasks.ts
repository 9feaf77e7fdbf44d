import { findCycle } from '../../workflows/plan/graph.ts';
import { MAX_GROUP_DEPTH } from '../../compiler/resolve/task-node.ts';
import { adaptNames } from './names.ts';
import type { Report } from './report.ts';
import type { SourceDag, SourceTask } from './source-dag.ts';
import { ImportError } from './source-value.ts';

/** The name of a task and its dependencies. */
export interface TaskPlace {
  readonly name: string;
  /** Its full name. */
  readonly group?: string;
  /** Names as `depends_on` refers to them from this task. */
  readonly dependsOn: readonly string[];
}

/**
 * Assigns names, groups and dependencies to the tasks of a DAG, by id. A nested group is `outer.inner`. Dependencies of a group are written
 * at its first tasks.
 * @throws ImportError when dependencies form a cycle
 */
export function placeTasks(dag: SourceDag, report: Report): ReadonlyMap<string, TaskPlace> {
  return new TaskPlacer(dag, report).place();
}

class TaskPlacer {
  private readonly groups: ReadonlyMap<string, SourceDag['groups'][number]>;
  private readonly groupNames: ReadonlyMap<string, string>;
  private readonly names: ReadonlyMap<string, string>;
  /** By id with and without the group prefix: dag-factory accepts both. */
  private readonly tasks: ReadonlyMap<string, SourceTask>;
  /** The tasks of each group, including nested groups. */
  private readonly members = new Map<string, Set<string>>();

  constructor(
    private readonly dag: SourceDag,
    private readonly report: Report,
  ) {
    this.groups = new Map(dag.groups.map((group) => [group.id, group]));
    this.tasks = new Map([
      ...dag.tasks.map((task): [string, SourceTask] => [`${task.group}.${task.id}`, task]),
      ...dag.tasks.map((task): [string, SourceTask] => [task.id, task]),
    ]);
    const grouped = dag.tasks.filter(({ group }) => group !== undefined);
    const shortNames = adaptNames(
      dag.groups.map(({ id, parent }) => withoutGroup(id, parent)),
      'group',
    );
    const inGroups = adaptNames(grouped.map(shortId), 'task', shortNames.values());
    const taken = [...inGroups.values()];
    this.groupNames = new Map(dag.groups.map(({ id }) => [id, this.fullGroupName(id, shortNames)]));
    const alone = adaptNames(
      dag.tasks.filter(({ group }) => group === undefined).map(({ id }) => id),
      'task',
      [...taken, ...this.groupNames.values()],
    );
    this.names = new Map(
      dag.tasks.map((task) => [task.id, (task.group === undefined ? alone.get(task.id) : inGroups.get(shortId(task))) ?? task.id]),
    );
    for (const { id, group } of dag.tasks) {
      for (const each of this.chain(group)) this.members.set(each, (this.members.get(each) ?? new Set()).add(id));
    }
  }

  place(): ReadonlyMap<string, TaskPlace> {
    const upstream = new Map(this.dag.tasks.map((task) => [task.id, this.upstreamOf(task)]));
    this.refuseCircle(upstream);
    this.reportGroups();
    return new Map(
      this.dag.tasks.map((task) => {
        const name = this.names.get(task.id) ?? task.id;
        if (name !== shortId(task)) this.report.changed(task.id, `is called '${name}': names have letters, digits and _`, task.place);
        const group = task.group === undefined ? undefined : this.groupNames.get(task.group);
        const dependsOn = [...(upstream.get(task.id) ?? [])].flatMap((id) => this.named(id, task.group));
        return [task.id, { name, dependsOn: [...new Set(dependsOn)], ...(group !== undefined && { group }) }];
      }),
    );
  }

  /** Ids of the tasks and groups that a task depends on: its own, and those of groups whose first tasks include it. */
  private upstreamOf(task: SourceTask): Set<string> {
    const all = new Set(
      task.upstream.flatMap(({ name, place }) =>
        this.find(name, () => {
          this.report.notKept('dependency', `there is no task or group '${name}'`, place, task.id);
        }),
      ),
    );
    for (const group of this.chain(task.group)) {
      const inside = this.members.get(group);
      if ([...all].some((id) => inside?.has(id) || this.isInside(id, group))) continue;
      for (const { name } of this.groups.get(group)?.upstream ?? []) for (const id of this.find(name, () => undefined)) all.add(id);
    }
    return all;
  }

  /** The ids that a name refers to. */
  private find(name: string, missing: () => void): string[] {
    const id = this.tasks.get(name)?.id ?? (this.groups.has(name) ? name : undefined);
    if (id === undefined) missing();
    return id === undefined ? [] : [id];
  }

  /** The `depends_on` entries for an id, in a task of `from`. */
  private named(id: string, from: string | undefined): string[] {
    const task = this.tasks.get(id);
    if (!task) return this.members.has(id) ? [this.groupNames.get(id) ?? id] : [];
    const name = this.names.get(id) ?? id;
    return [task.group === undefined || task.group === from ? name : `${this.groupNames.get(task.group)}.${name}`];
  }

  /** A group and its declared outer groups, from the outside in. */
  private declaredChain(id: string): string[] {
    return this.chain(id)
      .filter((each) => this.groups.has(each))
      .toReversed();
  }

  /** `outer.inner`; levels beyond the maximum depth are joined into one name. */
  private fullGroupName(id: string, shortNames: ReadonlyMap<string, string>): string {
    const names = this.declaredChain(id).map((each) => shortNames.get(withoutGroup(each, this.groups.get(each)?.parent)) ?? each);
    const outer = names.slice(0, MAX_GROUP_DEPTH - 1);
    return [...outer, names.slice(outer.length).join('_').slice(0, 64)].filter((name) => name !== '').join('.');
  }

  /** A group and its outer groups, from the inside out. */
  private chain(group: string | undefined): string[] {
    const chain: string[] = [];
    for (let at = group; at !== undefined; at = this.groups.get(at)?.parent) {
      const known = this.groups.get(at);
      if (chain.includes(at))
        throw new ImportError(`The task groups ${[...chain, at].join(', ')} contain each other.`, known?.place ?? this.dag.place);
      chain.push(at);
    }
    return chain;
  }

  private isInside(id: string, group: string): boolean {
    return this.groups.has(id) && this.chain(id).includes(group);
  }

  private refuseCircle(upstream: ReadonlyMap<string, ReadonlySet<string>>): void {
    const tasksOnly = new Map(
      [...upstream].map(([id, names]) => [
        id,
        [...names].flatMap((name) => (this.groups.has(name) && !this.names.has(name) ? [...(this.members.get(name) ?? [])] : [name])),
      ]),
    );
    const cycle = findCycle(tasksOnly);
    if (!cycle) return;
    const place = this.tasks.get(cycle[0] ?? '')?.place ?? this.dag.place;
    throw new ImportError(`The tasks of '${this.dag.id}' wait for each other in a cycle: ${[...cycle].reverse().join(' → ')}.`, place);
  }

  /** The name of a group if its own name and those of its outer groups stayed unchanged. */
  private theirName(id: string): string {
    return this.declaredChain(id)
      .map((each) => withoutGroup(each, this.groups.get(each)?.parent))
      .join('.');
  }

  private reportGroups(): void {
    for (const { id, place, upstream } of this.groups.values()) {
      const name = this.groupNames.get(id) ?? id;
      if (!this.members.has(id)) this.report.notKept(`group ${id}`, 'has no tasks', place);
      else if (name !== this.theirName(id))
        this.report.changed(`group ${id}`, `is called '${name}': names have letters, digits and _`, place);
      else if (upstream.length > 0) this.report.changed(`group ${id}`, 'what it waits for is written at its first tasks', place);
      else this.report.kept(`group ${id}`, place);
    }
  }
}

function withoutGroup(id: string, group: string | undefined): string {
  return group !== undefined && id.startsWith(`${group}.`) ? id.slice(group.length + 1) : id;
}

/** The id of a task without the group prefix that Airflow adds. */
function shortId({ id, group }: SourceTask): string {
  return withoutGroup(id, group);
}
