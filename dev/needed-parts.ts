import { connectionDefinedBy } from '../connections/parse.ts';
import type { Project } from '../project/load-project.ts';
import type { DeclaredResource } from '../resources/declared-resource.ts';
import { allTasks, type Plan } from '../workflows/plan/plan.ts';
import { parts } from './servers/parts/catalog.ts';
import { type PartName, partNames } from './servers/parts/part.ts';

/** Variants of other parts, which start only on request. */
const VARIANTS: ReadonlySet<PartName> = new Set(['temporal-postgres', 'kafka-3.9']);

/** The parts of the local stack that pipelines and resources use: Temporal, and each that defines a connection of one of them. */
export function neededParts(
  { tasks, triggers }: Project,
  plans: readonly Plan[],
  resources: readonly Pick<DeclaredResource, 'connId'>[],
): readonly PartName[] {
  const names = new Set<unknown>([...plans.flatMap(({ connections = [] }) => connections), ...resources.map(({ connId }) => connId)]);
  for (const plan of plans) {
    for (const { type, params } of allTasks(plan)) {
      const needs = Object.values(tasks.find((each) => each.type === type)?.connections ?? {});
      for (const { key, default: usual } of needs) names.add(params[key] ?? usual);
    }
    for (const { type, source } of plan.triggers ?? [])
      names.add(source.conn_id ?? triggers.find((each) => each.type === type)?.connection?.default);
  }
  const isNeeded = (variable: string): boolean => {
    const name = connectionDefinedBy(variable);
    return name !== undefined && names.has(name);
  };
  return partNames.filter((name) => name === 'temporal' || (!VARIANTS.has(name) && parts[name].variables.some(isNeeded)));
}
