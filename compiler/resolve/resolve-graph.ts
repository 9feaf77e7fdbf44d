import { findCycle, type Graph, topologicalOrder } from '../../workflows/plan/graph.ts';
import { isMap, type Json, type JsonObject } from '../../workflows/plan/values/json.ts';
import { didYouMean } from '../mistakes/diagnostic.ts';
import type { FillIn } from './fill-in.ts';
import { lostOrder } from './lost-order.ts';
import type { Path, Source } from '../read/source.ts';
import { chainOf, fullName, type GroupNode, groupNodes, type TaskNode } from './task-node.ts';

/** The dependencies of each task, by name, and a topological order. */
export interface TaskGraph {
  readonly upstream: Graph;
  readonly order: readonly string[];
}

/**
 * Resolves the graph of one list of tasks: the listed order if no task has `depends_on`, else the declared dependencies. A group represents
 * its tasks: its followers wait for its last tasks, and its first tasks wait for its dependencies. Uses everything in the file that can be
 * read, so that mistakes are reported together with those of the schema.
 * @returns undefined when the graph has mistakes, which are in `source`
 */
export function resolveGraph(source: Source, value: JsonObject, nodes: readonly TaskNode[], filledIn: FillIn[]): TaskGraph | undefined {
  return new GraphResolver(source, value, nodes, filledIn).resolve();
}

class GraphResolver {
  private readonly tasks = new Map<string, TaskNode>();
  private readonly groups: ReadonlyMap<string, GroupNode | undefined>;
  private readonly execution: Json | undefined;
  private failed = false;

  constructor(
    private readonly source: Source,
    value: JsonObject,
    private readonly nodes: readonly TaskNode[],
    private readonly filledIn: FillIn[],
  ) {
    this.execution = value.execution;
    const declared = nodes.some(({ list }) => list === 'tasks') ? groupNodes(value) : [];
    this.groups = new Map([
      ...nodes.flatMap(({ group }) => chainOf(group).map((each): [string, undefined] => [each, undefined])),
      ...declared.map((group): [string, GroupNode] => [group.name, group]),
    ]);
  }

  resolve(): TaskGraph | undefined {
    const isGraph =
      this.nodes.some(({ keys }) => keys.depends_on !== undefined) ||
      [...this.groups.values()].some((group) => group?.keys.depends_on !== undefined);
    const named = this.nodes.filter((node): node is TaskNode & { name: string } => node.name !== undefined);
    for (const node of named) if (!this.tasks.has(node.name)) this.tasks.set(node.name, node);
    const upstream = new Map<string, string[]>();
    for (const [index, { name, keys, path, group }] of named.entries()) {
      if (upstream.has(name)) continue; // duplicate: reported with the names
      const previous = named[index - 1]?.name;
      upstream.set(name, isGraph ? this.declared(keys.depends_on, path, group) : previous === undefined ? [] : [previous]);
    }
    if (isGraph) {
      this.connectGroups(upstream);
      this.connectBranches(upstream);
    } else if (named.length > 1) {
      this.refuseListedBranches();
      this.filledIn.push({
        what: 'depends_on',
        value: [...this.tasks.keys()].join(' → '),
        why: 'no task has depends_on: the listed order',
      });
    } else {
      this.refuseListedBranches();
    }
    this.reportCycle(upstream);
    // In a file with mistakes, a mistake may be the reason for a loose task.
    if (isGraph && this.execution === undefined && this.source.errors === 0) this.warnOfLostOrder(upstream);
    return this.failed ? undefined : { upstream, order: topologicalOrder(upstream) };
  }

  private warnOfLostOrder(upstream: Graph): void {
    const lists = [...this.nodes, ...[...this.groups.values()].filter((group) => group !== undefined)];
    const named = lists.flatMap((each) => {
      const names = Array.isArray(each.keys.depends_on) ? (each.keys.depends_on as readonly Json[]) : [];
      const scope = 'parent' in each ? each.parent : each.group;
      return names.flatMap((name) => (typeof name === 'string' ? (this.find(name, scope) ?? []) : []));
    });
    const [first, ...others] = lostOrder(this.nodes, upstream, new Set(named));
    if (!first) return;
    const more = others.length === 0 ? '' : ` and ${others.length} more`;
    this.source.reportInside(
      'SL313',
      first.path,
      `'${first.name}'${more} starts in parallel with the tasks listed before: if any task has depends_on, the listed order no longer applies.`,
      'write depends_on in each task ([] if it has no dependencies), or `execution: graph` in the file',
    );
  }

  /** The tasks that a list of names refers to. Inside a group, its own tasks can be named without the group. */
  private declared(list: Json | undefined, path: Path, group: string | undefined): string[] {
    if (!Array.isArray(list)) return [];
    return list.flatMap((given: Json, position): string[] => {
      if (typeof given !== 'string') return [];
      const found = this.find(given, group);
      if (found) return found;
      this.report(
        'SL302',
        [...path, 'depends_on', position],
        `No task or group '${given}' in this ${this.place()}.`,
        this.namesLike(given),
      );
      return [];
    });
  }

  private find(given: string, group: string | undefined): string[] | undefined {
    const found = fullName(given, group, (name) => this.tasks.has(name) || this.groups.has(name));
    if (found === undefined) return undefined;
    return [this.tasks.has(found) ? found : `${GROUP}${found}`];
  }

  private connectGroups(upstream: Map<string, string[]>): void {
    const members = this.membersOf();
    // Inner groups are resolved first: a task that waits for another task of its group does not start that group.
    const inward = [...this.groups].sort(([a], [b]) => b.split('.').length - a.split('.').length);
    for (const [name, group] of inward) {
      if (!group) continue;
      const waitsFor = this.declared(group.keys.depends_on, group.path, group.parent);
      if (waitsFor.some((each) => each === `${GROUP}${name}` || isInside(each, name) || isAround(each, name))) {
        this.report('SL303', [...group.path, 'depends_on'], `Group '${name}' depends on itself.`, 'remove the dependency');
        continue;
      }
      for (const member of members.get(name) ?? []) {
        const mine = upstream.get(member) ?? [];
        if (!mine.some((each) => isInside(each, name))) upstream.set(member, [...mine, ...waitsFor]);
      }
    }
    // Tasks can depend on groups too. Resolve those only after the edges of all groups are known.
    const lastOf = (group: string): string[] => {
      const own = members.get(group) ?? [];
      const waitedFor = own
        .flatMap((name) => upstream.get(name) ?? [])
        .flatMap((name) => (name.startsWith(GROUP) && isInside(name, group) ? lastOf(name.slice(GROUP.length)) : [name]));
      const isFollowed = new Set(waitedFor);
      return own.filter((name) => !isFollowed.has(name));
    };
    const known = new Map<string, string[]>();
    const lastTasks = (group: string): string[] => {
      const found = known.get(group) ?? lastOf(group);
      known.set(group, found);
      return found;
    };
    const replaced = [...upstream].map(([name, names]): [string, string[]] => [
      name,
      [...new Set(names.flatMap((each) => (each.startsWith(GROUP) ? lastTasks(each.slice(GROUP.length)) : [each])))],
    ]);
    for (const [name, names] of replaced) upstream.set(name, names);
  }

  /** The full names of the tasks in each group, including nested groups. */
  private membersOf(): ReadonlyMap<string, readonly string[]> {
    const members = new Map<string, string[]>();
    for (const [name, { group }] of this.tasks) {
      for (const each of chainOf(group)) {
        const names = members.get(each);
        if (names) names.push(name);
        else members.set(each, [name]);
      }
    }
    return members;
  }

  /** Makes the tasks of a switch's cases depend on the switch, even if they do not declare it. */
  private connectBranches(upstream: Map<string, string[]>): void {
    for (const { name, path, target, group } of this.branches()) {
      const [found] = this.find(target, group) ?? [];
      if (found === undefined || found.startsWith(GROUP)) {
        this.report(
          'SL302',
          path,
          found ? `'${target}' is a group; a case must name tasks.` : `No task '${target}' in this ${this.place()}.`,
          this.namesLike(target),
        );
      } else if (name !== undefined && !upstream.get(found)?.includes(name)) {
        upstream.set(found, [...(upstream.get(found) ?? []), name]);
        this.filledIn.push({ task: found, what: 'depends_on', value: name, why: 'it is a case of its switch' });
      }
    }
  }

  private refuseListedBranches(): void {
    for (const { keys, path } of this.nodes) {
      if (!isMap(keys.switch) || keys.switch.on === undefined || this.source.isReported([...path, 'switch', 'cases'])) continue;
      this.source.reportKey(
        'SL310',
        [...path, 'switch'],
        'A switch needs dependencies, but these tasks run in the listed order.',
        'write depends_on in the tasks of the cases and in the tasks after them',
      );
      this.failed = true;
    }
  }

  private branches(): { name: string | undefined; path: Path; target: string; group: string | undefined }[] {
    return this.nodes.flatMap(({ name, keys, path, group }) => {
      if (!isMap(keys.switch)) return [];
      const { cases, default: other } = keys.switch;
      const lists: [Path, Json | undefined][] = [
        ...Object.entries(isMap(cases) ? cases : {}).map(([value, list]): [Path, Json | undefined] => [
          [...path, 'switch', 'cases', value],
          list,
        ]),
        [[...path, 'switch', 'default'], other],
      ];
      return lists.flatMap(([at, list]) =>
        Array.isArray(list)
          ? list.flatMap((target: Json, index) => (typeof target === 'string' ? [{ name, path: [...at, index], target, group }] : []))
          : [],
      );
    });
  }

  private reportCycle(upstream: Graph): void {
    const cycle = findCycle(upstream);
    if (!cycle) return;
    const [first = ''] = cycle;
    const path = this.tasks.get(first)?.path ?? [];
    this.report(
      'SL303',
      [...path, 'depends_on'],
      `These tasks depend on each other: ${cycle.join(' → ')}.`,
      'remove one of the dependencies',
    );
  }

  private place(): string {
    const [node] = this.nodes;
    return node === undefined || node.list === 'tasks' ? 'pipeline' : `list of ${node.list}`;
  }

  private namesLike(given: string): string {
    const names = [...this.tasks.keys(), ...this.groups.keys()];
    return didYouMean(given, names) ?? `names: ${names.slice(0, 20).join(', ')}${names.length > 20 ? ', …' : ''}`;
  }

  private report(code: 'SL302' | 'SL303', path: Path, message: string, hint: string): void {
    this.failed = true;
    this.source.report(code, path, message, hint);
  }
}

/** Prefix of groups among task names while the graph is built. No name can start with it. */
const GROUP = '@';

/** Whether a group contains a task or a marked group. */
function isInside(name: string, group: string): boolean {
  return (name.startsWith(GROUP) ? name.slice(GROUP.length) : name).startsWith(`${group}.`);
}

/** Whether a marked group contains another group. */
function isAround(name: string, group: string): boolean {
  return name.startsWith(GROUP) && group.startsWith(`${name.slice(GROUP.length)}.`);
}

/** Reports duplicate names of tasks, across all lists of a file, and of groups. */
export function checkNames(source: Source, value: JsonObject, nodes: readonly TaskNode[]): void {
  const seen = new Map<string, Path>();
  for (const { name, path } of nodes) {
    if (name === undefined) continue;
    const first = seen.get(name);
    if (first === undefined) seen.set(name, path);
    else
      source.report(
        'SL301',
        [...path, 'name'],
        `Two tasks are named '${name}'; the first is in ${placeOf(first)}.`,
        'give each a different name',
      );
  }
  const groups = new Set<string>();
  for (const { name, path } of groupNodes(value)) {
    if (seen.has(name)) source.report('SL301', [...path, 'name'], `'${name}' is also the name of a task.`, 'give the group another name');
    else if (groups.has(name)) source.report('SL301', [...path, 'name'], `Two groups are named '${name}'.`, 'give each a different name');
    groups.add(name);
  }
}

function placeOf(path: Path): string {
  return path
    .map((step) => (typeof step === 'number' ? `[${step + 1}]` : `.${step}`))
    .join('')
    .replace(/^\./, '');
}
