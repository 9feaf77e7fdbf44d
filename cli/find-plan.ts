import { existsSync } from 'node:fs';
import type { Compilation } from '../compiler/compile.ts';
import { nearest } from '../compiler/mistakes/diagnostic.ts';
import { EXIT } from '../lib/exit-code.ts';
import type { Plan } from '../workflows/plan/plan.ts';
import { CommandError, compilePaths, formatMistakes, PIPELINES, say } from './command-context.ts';

/** Compiles a file, or finds the pipeline with this id in `pipelines/`. Reports mistakes and then returns undefined. */
export async function findPlan(pipeline: string): Promise<Plan | undefined> {
  if (!existsSync(pipeline) && /[/\\]|\.ya?ml$/.test(pipeline))
    throw new CommandError(`File '${pipeline}' does not exist in ${process.cwd()}.`);
  const compilations = await compilePaths([existsSync(pipeline) ? pipeline : PIPELINES]);
  const plans = compilations.flatMap(({ plan }) => plan ?? []);
  const [only] = plans;
  const found = existsSync(pipeline) && compilations.length === 1 ? only : plans.find(({ dagId }) => dagId === pipeline);
  if (found) return found;
  if (reportMistakes(compilations) && existsSync(pipeline)) return undefined;
  const ids = plans.map(({ dagId }) => dagId);
  const near = nearest(pipeline, ids);
  throw new CommandError(
    `No valid pipeline '${pipeline}' in ${PIPELINES}.${near ? ` Did you mean '${near}'?` : ` Valid pipelines: ${ids.join(', ')}.`}`,
  );
}

/** Like `findPlan`, but also accepts a folder and returns all its plans; files with mistakes do not hide the others. */
export async function findPlans(pipeline: string): Promise<Plan[]> {
  if (!existsSync(pipeline)) {
    const plan = await findPlan(pipeline);
    return plan ? [plan] : [];
  }
  const compilations = await compilePaths([pipeline]);
  reportMistakes(compilations);
  return compilations.flatMap(({ plan }) => plan ?? []);
}

function reportMistakes(compilations: readonly Compilation[]): boolean {
  const bad = compilations.filter(({ plan }) => !plan);
  if (bad.length === 0) return false;
  say(formatMistakes(bad));
  process.exitCode = EXIT.invalidPipeline;
  return true;
}
