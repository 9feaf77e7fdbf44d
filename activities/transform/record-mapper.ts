import { ExpressionFailed } from '../../workflows/plan/expressions/evaluator.ts';
import { exactJsonText } from '../../workflows/plan/values/exact-json.ts';
import { isMap, type Json, type JsonObject } from '../../workflows/plan/values/json.ts';
import type { TaskContext } from '../define-task.ts';
import { RecordRefused, type SourceRecord } from './formats/source-record.ts';
import type { Params } from './parameters.ts';
import { recordCheck } from './target-schema.ts';

/** What becomes of a record. */
export type Mapped =
  | { readonly kind: 'written'; readonly text: string }
  | { readonly kind: 'left_out' }
  | { readonly kind: 'invalid'; readonly reason: string; readonly raw: string };

/** Maps the records of a task: filter, `map`, `schema`, then the format of the result. */
export function recordMapper(
  ctx: Pick<TaskContext, 'evaluate'>,
  { filter, map: expressions, schema }: Params,
): { map(record: SourceRecord, number: number, write: (target: JsonObject) => string): Mapped } {
  const check = schema && recordCheck(schema);
  const entries = expressions && Object.entries(expressions);
  return {
    map(record, number, write) {
      if ('reason' in record) return { kind: 'invalid', ...record };
      const names = { record: record.value, record_number: number };
      try {
        if (filter !== undefined && !isTrue(ctx.evaluate(filter, names))) return { kind: 'left_out' };
        const target = entries ? Object.fromEntries(entries.map(([name, source]) => [name, ctx.evaluate(source, names)])) : record.value;
        if (!isMap(target)) throw new RecordRefused('it is not a map of names and values: give `map`');
        const mistake = check?.(target);
        if (mistake !== undefined) throw new RecordRefused(mistake);
        return { kind: 'written', text: write(target) };
      } catch (error) {
        if (!(error instanceof ExpressionFailed || error instanceof RecordRefused)) throw error;
        return { kind: 'invalid', reason: error.message, raw: exactJsonText(record.value) };
      }
    },
  };
}

function isTrue(value: Json): boolean {
  if (typeof value === 'boolean') return value;
  throw new RecordRefused(`\`filter\` is ${exactJsonText(value)}, which is neither true nor false`);
}
