import { stringify } from 'yaml';
import { diffLines, type DiffLine } from '../../lib/line-diff.ts';
import { formatDuration } from '../../workflows/plan/values/duration.ts';
import { isMap } from '../../workflows/plan/values/json.ts';
import type { Plan } from '../../workflows/plan/plan.ts';

/** Lines of context around a change. */
const CONTEXT = 2;
/** Keys that are derived from other keys, or that only affect execution. */
const DERIVED: ReadonlySet<string> = new Set([
  'hash',
  'format',
  'templates',
  'shapes',
  'summary',
  'lineage',
  'ownsEffects',
  'followsRun',
  'reads',
  'drawing',
]);
/** Keys whose values users define: the keys inside are not translated. */
const OWN: ReadonlySet<string> = new Set(['params', 'schema', 'source', 'notYet', 'cases', 'default', 'over']);

/**
 * Compares two plans of a pipeline in terms of its YAML: lines start with `-`, `+` or a space; `…` separates parts. Both plans include all
 * values that the compiler filled in.
 */
export function diffPlans(before: Plan, after: Plan): string[] {
  const lines = diffLines(linesOf(before), linesOf(after));
  const shown = new Set(lines.flatMap(({ sign }, index) => (sign === ' ' ? [] : around(lines, index))));
  const text: string[] = [];
  for (const [index, { sign, line }] of lines.entries()) {
    if (!shown.has(index)) continue;
    if (text.length > 0 && !shown.has(index - 1) && !(shown.has(index) && index === 0)) text.push('…');
    text.push(`${sign} ${line}`);
  }
  return text;
}

/** The context of a changed line: adjacent lines, and the name of its task. */
function around(lines: readonly DiffLine[], index: number): number[] {
  const beside = Array.from({ length: 2 * CONTEXT + 1 }, (_, offset) => index - CONTEXT + offset);
  const name = lines.findLastIndex(({ line }, at) => at <= index && /^ {2}- name: /.test(line));
  const isInTask = name >= 0 && !lines.slice(name + 1, index + 1).some(({ line }) => /^\S/.test(line));
  return isInTask ? [...beside, name] : beside;
}

function linesOf(plan: Plan): string[] {
  return stringify(inWords(plan), { lineWidth: 0, aliasDuplicateObjects: false }).trimEnd().split('\n');
}

/** Converts part of a plan to the keys of YAML: `executionTimeoutMs: 60000` becomes `execution_timeout: 1m`. */
function inWords(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inWords);
  if (!isMap(value)) return value;
  if (Array.isArray(value.dependsOn) && isMap(value.params)) {
    const { name, type, typeVersion, dependsOn, params, ...rest } = value;
    const typed = typeVersion === undefined ? type : `${String(type)}@${String(typeVersion)}`;
    return { name, type: typed, depends_on: dependsOn, ...params, ...(inWords(rest) as object) };
  }
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, each]): [string, unknown][] => {
      if (DERIVED.has(key) || each === undefined) return [];
      if (key === 'pipelines' && isMap(each))
        return [['pipelines', Object.entries(each).map(([id, plan]) => `${id} ${String((plan as JsonPlan).hash).slice(0, 12)}`)]];
      if (key.endsWith('Ms') && typeof each === 'number') return [[snakeCase(key.slice(0, -2)), formatDuration(each).replaceAll(' ', '')]];
      return [[snakeCase(key), OWN.has(key) ? each : inWords(each)]];
    }),
  );
}

type JsonPlan = Pick<Plan, 'hash'>;

function snakeCase(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
