import { LineCounter, parseDocument, isNode, YAMLSeq } from 'yaml';
import { CATALOG } from '../../activities/catalog.ts';
import { Compiler } from '../../compiler/compile.ts';
import type { Diagnostic } from '../../compiler/mistakes/diagnostic.ts';
import type { WrittenPipeline } from './convert-dag.ts';
import { inWords, type WrittenTask } from './convert-task.ts';
import type { Report } from './report.ts';
import type { Place } from './source-value.ts';
import { writePipeline } from './write-pipeline.ts';

/** Later compiler stages find mistakes only after earlier ones pass. */
const MOST_PASSES = 4;

/**
 * Compiles the written pipeline, and turns each task that the compiler rejects into one that fails, such as a task with a value that Jinja
 * pasted into SQL as a name. Mistakes about other files, or data between tasks, are left to `sluice validate`.
 */
export function settleTasks(written: WrittenPipeline, report: Report, place: Place): WrittenPipeline {
  let pipeline = written;
  for (let pass = 0; pass < MOST_PASSES; pass++) {
    const { refused, losesOrder } = checkTasks(pipeline);
    if (refused.size === 0) {
      // In Airflow, tasks never run in the listed order.
      return losesOrder ? { ...pipeline, keys: { ...pipeline.keys, execution: 'graph' } } : pipeline;
    }
    const tasks = pipeline.tasks.map((task, index) => unfinishedOf(task, refused.get(index), report, place));
    pipeline = { ...pipeline, tasks };
  }
  return pipeline;
}

/** Compiles a pipeline. `refused`: the mistakes of tasks, by task index; `losesOrder`: whether the compiler warns of a lost order. */
function checkTasks(pipeline: WrittenPipeline): { readonly refused: ReadonlyMap<number, Diagnostic>; readonly losesOrder: boolean } {
  const text = writePipeline(pipeline);
  const { diagnostics } = compiler().compile({ file: 'imported.yaml', text });
  const losesOrder = diagnostics.some(({ code }) => code === 'SL313');
  const mistakes = diagnostics.filter(({ code, severity }) => severity === 'error' && /^SL[25]/.test(code));
  if (mistakes.length === 0) return { refused: new Map(), losesOrder };
  const lines = new LineCounter();
  const tasks = parseDocument(text, { lineCounter: lines }).get('tasks');
  const starts = tasks instanceof YAMLSeq ? [...tasks].map((task) => (isNode(task) ? lines.linePos(task.range?.[0] ?? 0).line : 0)) : [];
  const found = mistakes.map((mistake): [number, Diagnostic] => [starts.findLastIndex((line) => line <= mistake.line), mistake]);
  return { refused: new Map(found.filter(([index]) => index >= 0).reverse()), losesOrder };
}

function unfinishedOf(task: WrittenTask, mistake: Diagnostic | undefined, report: Report, place: Place): WrittenTask {
  if (!mistake || task.keys.type === 'unfinished') return task;
  const { name, type, group, depends_on: dependsOn, ...work } = task.keys;
  const why = `${mistake.message.replace(/\.$/, '')}${mistake.hint === undefined ? '' : `: ${mistake.hint}`}`;
  const fullName = [group, name].filter((part) => part !== undefined).join('.');
  const at = report.withdraw(fullName) ?? place;
  report.notKept(fullName, `is a placeholder that fails until it is written: ${why}`, at, fullName);
  const placement = { ...(group !== undefined && { group }), ...(dependsOn !== undefined && { depends_on: dependsOn }) };
  return {
    keys: { name, type: 'unfinished', ...placement, missing: inWords(why) },
    comments: [...task.comments, `not kept: ${why}. It would be:`, ...linesOf({ type, ...work })],
  };
}

function linesOf(keys: WrittenTask['keys']): string[] {
  return writePipeline({ comments: [], keys, tasks: [] })
    .trimEnd()
    .split('\n')
    .slice(0, -1)
    .map((line) => `  ${line}`);
}

let shared: Compiler | undefined;
function compiler(): Compiler {
  return (shared ??= new Compiler(CATALOG));
}
