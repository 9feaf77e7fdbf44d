import { parseS3Uri } from '../../lib/s3.ts';
import type { Json } from '../../workflows/plan/values/json.ts';
import { mismatchText, reportText } from '../../workflows/plan/datasets/mismatch.ts';
import { PartWriter } from '../support/dataset/part-writer.ts';
import type { TaskContext } from '../define-task.ts';
import { openStorage } from '../support/dataset/storage.ts';
import { userFault } from '../run/errors.ts';
import type { ColumnPair } from './canonical.ts';
import { compareRows } from './rows/compare-rows.ts';
import type { Difference, RowComparison, RowCounts } from './rows/comparison.ts';
import type { Params } from './parameters.ts';
import type { Repaired } from './repair/repair.ts';
import { MAX_REPAIRED_ROWS, repairTarget } from './repair/repair-target.ts';
import { type Mismatch, Report, type ReportPlace } from './report.ts';
import type { SideName, Sides } from './row-expressions.ts';
import { labelOf, type Side } from './side.ts';
import { withSide } from './sides/open-side.ts';
import { sideTypes } from './sides/side-types.ts';
import { checkTolerance, type ToleranceResult } from './tolerance.ts';

/** Output of a `reconcile` task. */
export interface Reconciliation {
  readonly discrepancy: number;
  readonly compared: number;
  readonly differing: number;
  readonly changed: number;
  readonly missing: number;
  readonly extra: number;
  readonly report: string | null;
  readonly examples: readonly Mismatch[];
  /** Rows of the target that were repaired; the counts above are from before the repair. */
  readonly repaired: number;
  /** S3 URI of the SQL that reverts the repair. */
  readonly undo: string | null;
  /** One sentence for the run. */
  readonly summary: string;
}

type Counts = Pick<Reconciliation, 'compared' | 'changed' | 'missing' | 'extra'> & { readonly differing: number };

/** Runs a `reconcile` task. */
export async function reconcileTables(ctx: TaskContext, task: Params): Promise<Reconciliation> {
  const connections = {
    source: ctx.connection(task.source.conn_id, sideTypes(task.source)),
    target: ctx.connection(task.target.conn_id, sideTypes(task.target)),
  };
  const repairs = task.on_mismatch === 'repair';
  if (repairs && connections.target.type !== 'postgres' && connections.target.type !== 'redshift') {
    throw userFault(
      'InvalidParameters',
      `'on_mismatch: repair' writes into PostgreSQL and Redshift, and connection '${task.target.conn_id}' is ${connections.target.type}. ` +
        'Load the target again instead.',
    );
  }
  const open = <T>(side: SideName, work: (side: Side) => Promise<T>): Promise<T> =>
    withSide(
      {
        place: task[side],
        connection: connections[side],
        task: `${ctx.dagId}.${ctx.task}`,
        interval: ctx.interval,
        zones: Object.values(task.normalize ?? {}).flatMap(({ timezone }) => timezone ?? []),
        signal: ctx.signal,
        writes: side === 'target' && repairs,
      },
      work,
    );
  return open('source', (source) => open('target', (target) => compare(ctx, task, { source, target })));
}

async function compare(ctx: TaskContext, task: Params, opened: Sides): Promise<Reconciliation> {
  const { compare: how = 'row', tolerance = '0' } = task;
  const late = lateRows(ctx, task, opened);
  if (how === 'count') {
    const [source, target] = await Promise.all([countOf(opened.source, late?.source), countOf(opened.target, late?.target)]);
    const [missing, extra] = [Math.max(0, source - target), Math.max(0, target - source)];
    const counts = { compared: Math.max(source, target), changed: 0, missing, extra, differing: missing + extra };
    return conclude(task, counts, checkTolerance(counts.differing, counts.compared, tolerance), { report: null, examples: [] });
  }
  const groups = task.key ?? [];
  const sides =
    how === 'row'
      ? opened
      : {
          source: opened.source.grouped(groups, task.aggregates ?? [], late?.source),
          target: opened.target.grouped(groups, task.aggregates ?? [], late?.target),
        };
  const keys = groups.map((name) => pairOf(sides, task, name));
  const columns = comparedColumns(sides, task, groups).map((name) => pairOf(sides, task, name));
  const report = new Report(
    reportPlace(ctx, task, 'differences.csv'),
    groups,
    columns.map(({ name }) => name),
  );
  const comparison = {
    sides,
    keys,
    columns,
    late: how === 'row' ? late : undefined,
    progress: (point: Json): void => ctx.progress(point),
  };
  const differences: Difference[] = [];
  let counted: RowCounts;
  let uri: string | null;
  try {
    await report.begin();
    counted = await compareRows({
      ...comparison,
      resumePoint: ctx.resumePoint,
      found: (difference) => {
        if (task.on_mismatch === 'repair' && differences.length <= MAX_REPAIRED_ROWS) differences.push(difference);
        return report.add(difference);
      },
    });
    uri = await report.close();
  } catch (error) {
    await report.abort();
    throw error;
  } finally {
    report.destroy();
  }
  const counts = { ...counted, differing: counted.changed + counted.missing + counted.extra };
  const result = checkTolerance(counts.differing, counts.compared, tolerance);
  const concluded = conclude(task, counts, result, { report: uri, examples: report.shown });
  if (!result.exceeded || task.on_mismatch !== 'repair') return concluded;
  const { undo, moved } = await repair(ctx, task, comparison, differences);
  const updated = moved === 0 ? '' : ` ${count(moved)} of them lay outside the condition of one side, and were updated where they are.`;
  const summary = `${concluded.summary} All ${count(differences.length)} rows are repaired.${updated} What takes it back: ${undo}`;
  return { ...concluded, discrepancy: 0, repaired: differences.length, undo, summary };
}

/**
 * Repairs the target, compares again before the change is visible to others, and commits.
 * @returns `undo`: the URI of the SQL that reverts the repair
 */
async function repair(
  ctx: TaskContext,
  task: Params,
  comparison: Omit<RowComparison, 'resumePoint' | 'found'>,
  differences: readonly Difference[],
): Promise<Repaired> {
  const { sides, keys, columns } = comparison;
  const { database } = sides.target;
  if (!database) throw new Error('A side that cannot be repaired has been refused before.');
  const { table = '', where } = task.target;
  const isSourceFiltered = task.source.where !== undefined;
  const repaired = await repairTarget({ database, sides, keys, columns, differences, table, where, isSourceFiltered });
  let left = 0;
  await compareRows({ ...comparison, resumePoint: undefined, found: async () => void (left += 1) });
  if (left > 0) {
    throw userFault(
      'DataMismatch',
      `Nothing is repaired: ${count(left)} rows would still differ afterwards. The target's columns cannot hold the source's values, ` +
        'or a trigger changes what is written.',
    );
  }
  const place = reportPlace(ctx, task, `undo-${new Date().toISOString().replace(/[-:.]/g, '')}.sql`);
  if (!place) throw new Error('A repair without a report has been refused before.');
  try {
    const writer = new PartWriter(place.storage, parseS3Uri(place.uri), 'none');
    await writer.write(Buffer.from(repaired.undo));
    await writer.close(differences.length);
  } finally {
    place.storage.client.destroy();
  }
  await database.client.query('COMMIT');
  return { ...repaired, undo: place.uri };
}

/** Conditions for rows that changed too late to be compared. */
function lateRows(ctx: TaskContext, { as_of: asOf }: Params, { source, target }: Sides): { source: string; target: string } | undefined {
  if (asOf === undefined) return undefined;
  const time = asOf.time ?? ctx.interval.end;
  if (Number.isNaN(Date.parse(time))) throw userFault('InvalidParameters', `as_of.time is '${time}'; write an ISO 8601 time.`);
  const instant = new Date(time).toISOString();
  const condition = (side: Side): string => {
    const { name, family } = side.column(asOf.column);
    // Servers disagree on whether a date is later than an hour of the same day.
    const from = family === 'date' ? `${instant.slice(0, 10)}T00:00:00.000Z` : instant;
    return `${side.dialect.identifier(name)} >= ${side.dialect.instant(from)}`;
  };
  return { source: condition(source), target: condition(target) };
}

async function countOf(side: Side, late: string | undefined): Promise<number> {
  const where = late === undefined ? '' : ` WHERE (${late}) IS NOT TRUE`;
  const [row] = await side.texts(`SELECT count(*) FROM (${side.rows}\n) AS counted${where}`);
  return Number(row?.[0]);
}

function pairOf({ source, target }: Sides, { normalize = {} }: Params, name: string): ColumnPair {
  return { name, source: source.column(name), target: target.column(name), normalization: normalize[name] ?? {} };
}

function comparedColumns({ source, target }: Sides, { columns, compare: how }: Params, keys: readonly string[]): readonly string[] {
  if (columns !== undefined && how !== 'aggregate') return columns.filter((name) => !keys.includes(name));
  const there = new Set(target.columns.map(({ name }) => name));
  return source.columns.map(({ name }) => name).filter((name) => there.has(name) && !keys.includes(name));
}

/** Where to write a file of this task and interval. */
function reportPlace(ctx: TaskContext, task: Params, file: string): ReportPlace | undefined {
  const { report_to: prefix, aws_conn_id: name = 'aws_default' } = task;
  if (prefix === undefined) return undefined;
  const interval = ctx.interval.start.replace(/[-:]|\.\d+/g, '');
  const uri = `${prefix.replace(/\/+$/, '')}/${ctx.dagId}/${ctx.task.replaceAll('/', '-')}/${interval}/${file}`;
  return { uri, storage: openStorage(ctx.connection(name, ['aws']), name) };
}

function conclude(
  task: Params,
  counts: Counts,
  result: ToleranceResult,
  { report, examples }: Pick<Reconciliation, 'report' | 'examples'>,
): Reconciliation {
  const { on_mismatch: onMismatch = 'fail' } = task;
  const summary = sayIt(task, counts, result, report, examples);
  if (result.exceeded && onMismatch === 'fail') throw userFault('DataMismatch', summary);
  if (result.exceeded && onMismatch === 'approve') {
    throw userFault('DataMismatch', `${summary} Accept it with \`sluice mark-success\`, or compare again with \`sluice retry\`.`);
  }
  const { compared, differing, changed, missing, extra } = counts;
  return {
    discrepancy: result.discrepancy,
    compared,
    differing,
    changed,
    missing,
    extra,
    report,
    examples,
    repaired: 0,
    undo: null,
    summary,
  };
}

function sayIt(
  { source, target, tolerance = '0', compare: how = 'row' }: Params,
  { compared, differing, changed, missing, extra }: Counts,
  { discrepancy }: ToleranceResult,
  report: string | null,
  examples: readonly Mismatch[],
): string {
  const what = how === 'aggregate' ? 'groups' : 'rows';
  const between = `${labelOf(source)} and ${labelOf(target)}`;
  if (differing === 0) return `${count(compared)} ${what} of ${between} agree.`;
  const percent = String(Number((discrepancy * 100).toPrecision(4)));
  const kinds = [
    changed > 0 && `${count(changed)} changed`,
    missing > 0 && `${count(missing)} missing in the target`,
    extra > 0 && `${count(extra)} in the target only`,
  ].filter((each) => each !== false);
  const shown = examples.slice(0, 3).map(sayMismatch);
  return [
    `${mismatchText({ differing, compared, what, between, percent, tolerance })} ${kinds.join(', ')}.`,
    ...(shown.length > 0 ? [`First: ${shown.join('; ')}.`] : []),
    ...(report === null ? [] : [reportText(report)]),
  ].join(' ');
}

function sayMismatch({ key, column, kind, source, target }: Mismatch): string {
  const where = Object.entries(key)
    .map(([name, value]) => `${name}=${value ?? 'NULL'}`)
    .join(', ');
  if (kind !== 'changed') return `${where} ${kind === 'missing' ? 'is missing' : 'is in the target only'}`;
  return `${where} ${column}: ${value(source)} ≠ ${value(target)}`;
}

function value(text: string | null | undefined): string {
  if (text === null || text === undefined) return 'NULL';
  return text.length > 40 ? `'${text.slice(0, 40)}…'` : `'${text}'`;
}

function count(number: number): string {
  return number.toLocaleString('en-US');
}
