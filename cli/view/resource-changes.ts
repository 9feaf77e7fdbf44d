import { resourceTitle } from '../../resources/declared-resource.ts';
import { type Difference, showDifference } from '../../resources/fields.ts';
import type { ResourceAction, ResourceChange } from '../../resources/run/compare.ts';

/** `compiled`: there is no Temporal server with the record of what this deployment manages. */
export type ShownResource = Omit<ResourceChange, 'action'> & { readonly action: ResourceAction | 'compiled' };

const SIGNS: Readonly<Record<ShownResource['action'], string>> = {
  create: '+',
  update: '~',
  adopt: '~',
  delete: '-',
  release: '-',
  unchanged: '=',
  unknown: '?',
  compiled: '*',
};

/** A change for `-o json`. Hidden values are not shown. */
export function presentResource({ type, connId, name, action, detail, differences, withheld }: ShownResource) {
  return {
    resource: name,
    type,
    conn_id: connId,
    action,
    detail,
    ...(differences.length > 0 && { differences: differences.map(showDifference) }),
    ...(withheld !== undefined && { withheld }),
  };
}

/** A change for a terminal. */
export function describeResource(change: ShownResource): string {
  const { connId, action, detail, differences, withheld } = change;
  const lines = [`${SIGNS[action]} ${resourceTitle(change)}  ${action === 'unchanged' ? 'no change' : action}  (${detail}; ${connId})`];
  if (withheld !== undefined) lines.push(`  ${action === 'unknown' ? 'not compared' : 'not carried out'}: ${withheld}`);
  lines.push(...differences.map(describeDifference));
  return lines.join('\n');
}

/** A change with the reason why it failed, if it did. */
export interface ResourceResult {
  readonly change: ResourceChange;
  readonly failure?: string;
}

const PAST: Readonly<Record<ResourceAction, string>> = {
  create: 'created',
  update: 'updated',
  adopt: 'adopted',
  delete: 'deleted',
  release: 'released',
  unchanged: 'unchanged',
  unknown: 'compared',
};

/** Whether a change was made, or needed none. */
export function isDone({ change, failure }: ResourceResult): boolean {
  return failure === undefined && change.withheld === undefined;
}

/** A result for `-o json`. */
export function presentResourceResult({ change, failure }: ResourceResult) {
  return { ...presentResource(change), ...(failure !== undefined && { failure }) };
}

/** A result for a terminal. */
export function describeResourceResult({ change, failure }: ResourceResult): string {
  const { action, detail, withheld, differences } = change;
  const title = resourceTitle(change);
  if (failure !== undefined) return `! ${title}  ${action} failed: ${failure}`;
  if (withheld !== undefined) return `! ${title}  not ${PAST[action]}  (${detail}): ${withheld}`;
  return [`${title}  ${PAST[action]}  (${detail})`, ...differences.map(describeDifference)].join('\n');
}

function describeDifference(difference: Difference): string {
  const { field, actual, declared } = showDifference(difference);
  return `    ${field}: ${actual ?? '(not set)'} → ${declared ?? '(not set)'}`;
}
