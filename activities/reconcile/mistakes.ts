import type { ParamMistake } from '../define-task.ts';
import type { Params } from './parameters.ts';

const PLACES = ['table', 'query', 'dataset'] as const;

/** Problems of a `reconcile` task whose keys are valid one by one. */
export function reconcileMistakes(params: Params): ParamMistake[] {
  const { compare = 'row', key, aggregates, target, on_mismatch: onMismatch, report_to: reportTo } = params;
  const mistakes: ParamMistake[] = (['source', 'target'] as const)
    .filter((side) => PLACES.filter((place) => params[side][place] !== undefined).length !== 1)
    .map((side) => ({ at: [side], message: `'${side}' needs either 'table', 'query' or 'dataset'.`, hint: 'give one of them' }));
  const missing = (message: string): void => void mistakes.push({ at: [], message });
  if (compare === 'row' && key === undefined) missing("'key' is missing: the columns that identify a row.");
  if (compare === 'aggregate' && aggregates === undefined) {
    missing("'aggregates' is missing: what is compared by group, such as sum(total).");
  }
  if (compare !== 'aggregate' && aggregates !== undefined) {
    mistakes.push({ at: ['aggregates'], message: "'aggregates' is for compare: aggregate.", hint: "add that, or take 'aggregates' away" });
  }
  if (onMismatch === 'repair' && target.dataset !== undefined) {
    mistakes.push({
      at: ['on_mismatch'],
      message: "'on_mismatch: repair' writes rows into a table, but the target is a dataset, whose files never change.",
      hint: 'write fail, warn or approve, and repeat the task that writes the dataset',
    });
  } else if (onMismatch === 'repair' && (compare !== 'row' || target.table === undefined)) {
    const message = "'on_mismatch: repair' needs compare: row and a target that is a table: rows are written into it.";
    mistakes.push({ at: ['on_mismatch'], message });
  }
  if (onMismatch === 'repair' && reportTo === undefined) {
    mistakes.push({
      at: ['on_mismatch'],
      message: "'on_mismatch: repair' needs 'report_to': what takes the repair back is written there.",
    });
  }
  return mistakes;
}
