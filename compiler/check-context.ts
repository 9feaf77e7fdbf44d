import type { TaskType } from '../activities/define-task.ts';
import { isMap, type Json, type JsonObject } from '../workflows/plan/json.ts';
import { didYouMean } from './diagnostic.ts';
import { propertyOf } from './expressions/find-templates.ts';
import type { Path, Source } from './source.ts';
import type { TaskNode } from './task-node.ts';

/** What is known of the installation that pipelines are compiled for. */
export interface Context {
  /** The names of the connections that are defined; absent: not known. */
  readonly connections?: ReadonlySet<string>;
}

interface File {
  readonly source: Source;
  readonly value: JsonObject | undefined;
  readonly nodes: readonly TaskNode[];
}

/** Warns of what the files name and neither they nor the installation have: connections, data sets. */
export function checkContext(files: readonly File[], types: ReadonlyMap<string, TaskType>, { connections }: Context): void {
  const made = new Set(files.flatMap(({ value }) => listOf(value?.outlets)).filter((uri) => typeof uri === 'string'));
  for (const { source, value, nodes } of files) source.isolate(() => check(source, value, nodes));

  function check(source: Source, value: File['value'], nodes: File['nodes']): void {
    if (connections) for (const node of nodes) checkConnections(source, node, types.get(node.type ?? ''), connections);
    for (const [index, trigger] of listOf(value?.triggers).entries()) {
      if (!isMap(trigger) || trigger.type !== 'dataset') continue;
      for (const key of ['all', 'any'])
        for (const [position, uri] of listOf(trigger[key]).entries()) checkDataset(source, uri, ['triggers', index, key, position], made);
    }
    for (const [index, sla] of listOf(value?.sla).entries())
      if (isMap(sla) && sla.dataset !== undefined) checkDataset(source, sla.dataset, ['sla', index, 'dataset'], made);
  }
}

function checkConnections(source: Source, { keys, path }: TaskNode, type: TaskType | undefined, connections: ReadonlySet<string>): void {
  for (const { name: named, path: place } of findConnections(keys, type?.params, path)) {
    if (connections.has(named)) continue;
    source.report(
      'SL406',
      place,
      `The connection '${named}' is not defined on this machine.`,
      didYouMean(named, connections) ?? `define SLUICE_CONN_${named.toUpperCase()} where the workers run`,
    );
  }
}

/** The names of connections in `value`, by what its schema says. */
function findConnections(value: Json | undefined, schema: unknown, path: Path): { readonly name: string; readonly path: Path }[] {
  if (typeof value === 'string') return isMap(schema) && schema.connection === true ? [{ name: value, path }] : [];
  if (!isMap(value) || !isMap(schema)) return [];
  return Object.entries(value).flatMap(([key, part]) => findConnections(part, propertyOf(schema, key), [...path, key]));
}

function checkDataset(source: Source, uri: Json, path: Path, made: ReadonlySet<Json>): void {
  if (typeof uri !== 'string' || made.has(uri)) return;
  source.report(
    'SL405',
    path,
    `No pipeline makes the data set '${uri}'.`,
    didYouMean(uri, [...made].map(String)) ?? 'name it in the outlets of the pipeline that makes it',
  );
}

function listOf(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? (value as readonly Json[]) : [];
}
