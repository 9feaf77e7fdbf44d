import { stringify } from 'yaml';
import { diffLines, type DiffLine } from '../../lib/line-diff.ts';
import { formatDuration } from '../../workflows/plan/values/duration.ts';
import { isMap } from '../../workflows/plan/values/json.ts';
import type { Plan } from '../../workflows/plan/plan.ts';

/** Lines around a change that are shown. */
const CONTEXT = 2;
/** What follows from the rest of a plan, or tells only how it is carried out. */
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
/** What is a person's own: its keys are no words of the plan. */
const OWN: ReadonlySet<string> = new Set(['params', 'schema', 'source', 'notYet', 'cases', 'default', 'over']);

/**
 * What differs between two plans of a pipeline, in the words of its YAML: lines that begin with `-`, `+` or a space, parts apart by `…`.
 * Both have all that the compiler filled in.
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

/** The lines to show with a changed one: those beside it, and the name of the task that it belongs to. */
function around(lines: readonly DiffLine[], index: number): number[] {
  const beside = Array.from({ length: 2 * CONTEXT + 1 }, (_, offset) => index - CONTEXT + offset);
  const name = lines.findLastIndex(({ line }, at) => at <= index && /^ {2}- name: /.test(line));
  const isInTask = name >= 0 && !lines.slice(name + 1, index + 1).some(({ line }) => /^\S/.test(line));
  return isInTask ? [...beside, name] : beside;
}

function linesOf(plan: Plan): string[] {
  return stringify(inWords(plan), { lineWidth: 0, aliasDuplicateObjects: false }).trimEnd().split('\n');
}

/** A part of a plan in the words of YAML: `executionTimeoutMs: 60000` is `execution_timeout: 1m`. */
function inWords(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inWords);
  if (!isMap(value)) return value;
  if (Array.isArray(value.dependsOn) && isMap(value.params)) {
    const { name, type, dependsOn, params, ...rest } = value;
    return { name, type, depends_on: dependsOn, ...params, ...(inWords(rest) as object) };
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
