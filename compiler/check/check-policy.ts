import type { TriggerType } from '../../sensors/define-trigger.ts';
import { isMap, type Json, type JsonObject } from '../../workflows/plan/values/json.ts';
import { didYouMean } from '../mistakes/diagnostic.ts';
import type { Path, Source } from '../read/source.ts';
import { textOf } from '../read/values.ts';
import { defaultArgs, type TaskNode } from '../resolve/task-node.ts';
import { usualConnection, WAITING } from '../schema/alerts-schema.ts';

/** What the pipelines of a folder may use. A key that is absent allows everything. */
export interface FolderPolicy {
  /** The values of `owner` of pipelines and tasks. */
  readonly owners?: readonly string[];
  /** The task queues that tasks may name in `queue`; a task that names none uses that of the deployment. */
  readonly queues?: readonly string[];
  /** The connections of tasks, triggers, alerts and expressions: names, or beginnings of names that end in `*`, such as `sales_*`. */
  readonly connections?: readonly string[];
  /** How each `dag_id` must begin. */
  readonly dagIdPrefixes?: readonly string[];
}

/** What pipelines may use, by folder relative to the project's root, such as `pipelines/sales`. The nearest folder counts, key by key. */
export type Policy = Readonly<Record<string, FolderPolicy>>;

/** A pipeline whose policy is checked. */
export interface PolicySubject {
  /** The file's path relative to the project's root, with `/`. */
  readonly place: string;
  readonly value: JsonObject;
  readonly nodes: readonly TaskNode[];
  /** The connections that the file names, or uses by default, with their places. */
  readonly connections: readonly { readonly name: string; readonly path: Path }[];
  /** The connections whose fields expressions read. */
  readonly readByExpressions: readonly string[];
}

/** Refuses what the policy does not allow in the folder of a file. */
export function checkPolicy(source: Source, subject: PolicySubject, policy: Policy): void {
  const { place, value, nodes, connections, readByExpressions } = subject;
  const refuse = (path: Path, what: string, given: string, { folder, allowed }: Rule): void => {
    const places = allowed.length === 0 ? 'none is allowed' : `allowed: ${allowed.join(', ')}`;
    source.report('SL318', path, `${what} '${given}' is not allowed in ${folder}; ${places}.`, hintFor(given, allowed));
  };
  const prefixes = ruleFor(policy, place, 'dagIdPrefixes');
  const dagId = textOf(value.dag_id);
  if (prefixes && dagId !== undefined && !prefixes.allowed.some((prefix) => dagId.startsWith(prefix))) {
    const message = `'${dagId}' is not a dag_id of ${prefixes.folder}: it must start with ${prefixes.allowed.join(' or ')}.`;
    source.report('SL318', ['dag_id'], message, POLICY_HINT);
  }
  const keys = [{ keys: value, path: [] as Path }, ...defaultArgs(value), ...nodes];
  const [owners, queues] = [ruleFor(policy, place, 'owners'), ruleFor(policy, place, 'queues')];
  for (const { keys: own, path } of keys) {
    const { owner, queue } = own;
    if (owners && typeof owner === 'string' && !owners.allowed.includes(owner)) refuse([...path, 'owner'], 'Owner', owner, owners);
    if (queues && typeof queue === 'string' && !queues.allowed.includes(queue)) refuse([...path, 'queue'], 'Queue', queue, queues);
  }
  const rule = ruleFor(policy, place, 'connections');
  if (!rule) return;
  const isAllowed = (name: string): boolean =>
    rule.allowed.some((each) => (each.endsWith('*') ? name.startsWith(each.slice(0, -1)) : name === each));
  for (const { name, path } of connections) if (!isAllowed(name)) refuse(path, 'Connection', name, rule);
  for (const name of readByExpressions) {
    if (isAllowed(name) || connections.some((each) => each.name === name)) continue;
    const written = `conn.${name}`;
    const at = source.text.indexOf(written);
    const message = `Connection '${name}', whose fields an expression reads, is not allowed in ${rule.folder}; allowed: ${rule.allowed.join(', ')}.`;
    if (at < 0) source.report('SL318', ['dag_id'], message, hintFor(name, rule.allowed));
    else source.reportAt('SL318', at, written.length, message, hintFor(name, rule.allowed));
  }
}

/** The default connections that a file uses without naming them: of triggers, channels and `notify` tasks. Tasks' others are in the caller. */
export function impliedConnections(
  value: JsonObject,
  nodes: readonly TaskNode[],
  triggers: ReadonlyMap<string, TriggerType>,
): PolicySubject['connections'] {
  const ofChannels = (alerts: Json | undefined, path: Path): PolicySubject['connections'] =>
    Object.entries(isMap(alerts) ? alerts : {}).flatMap(([channel, keys]) => {
      if (channel === WAITING) return ofChannels(keys, [...path, channel]);
      return isMap(keys) && keys.conn_id === undefined ? [{ name: usualConnection(channel), path: [...path, channel] }] : [];
    });
  const ofTriggers = (Array.isArray(value.triggers) ? (value.triggers as readonly Json[]) : []).flatMap((trigger, index) => {
    const { default: name } = (isMap(trigger) && triggers.get(String(trigger.type))?.connection) || {};
    return name === undefined || (isMap(trigger) && trigger.conn_id !== undefined) ? [] : [{ name, path: ['triggers', index, 'type'] }];
  });
  const ofTasks = nodes.flatMap(({ type, keys: { to, conn_id: named }, path }) =>
    type === 'notify' && typeof to === 'string' && named === undefined ? [{ name: usualConnection(to), path: [...path, 'to'] }] : [],
  );
  const isPaged = value.critical === true && value.alerts === undefined;
  return [
    ...ofChannels(value.alerts, ['alerts']),
    ...(isPaged ? [{ name: usualConnection('pagerduty'), path: ['critical'] }] : []),
    ...ofTriggers,
    ...ofTasks,
  ];
}

interface Rule {
  readonly folder: string;
  readonly allowed: readonly string[];
}

const POLICY_HINT = 'see `policy` in sluice.config.ts';

function hintFor(given: string, allowed: readonly string[]): string {
  return didYouMean(given, allowed) ?? POLICY_HINT;
}

/** The rule of the nearest folder that has this key; undefined if none has. */
function ruleFor(policy: Policy, place: string, key: keyof FolderPolicy): Rule | undefined {
  const found = Object.entries(policy)
    .map(([folder, rules]) => ({ folder: folder.replace(/^\.\/|\/+$/g, ''), allowed: rules[key] }))
    .filter(({ folder, allowed }) => allowed !== undefined && (folder === '' || folder === '.' || place.startsWith(`${folder}/`)))
    .sort((one, other) => other.folder.length - one.folder.length)[0];
  return found?.allowed && { folder: found.folder === '' || found.folder === '.' ? 'this project' : found.folder, allowed: found.allowed };
}
