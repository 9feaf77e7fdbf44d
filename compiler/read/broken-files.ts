import { type BrokenFile, MAX_BROKEN_FILES } from '../../workflows/plan/incidents/incident.ts';
import { escapeLine } from '../../workflows/plan/values/printable.ts';
import type { Compilation, PipelineFile } from '../compile.ts';

/** Maximum length of a file's first mistake in reports, in characters. */
const MAX_MISTAKE = 200;

/** The `dag_id` of a file that cannot be compiled, if it can be read. */
export function dagIdOf({ text }: PipelineFile): string | undefined {
  return /^dag_id:\s*["']?([a-z][a-z0-9_]*)/m.exec(text)?.[1];
}

/**
 * Lists the files that cannot be applied, for people who do not read the scheduler's log.
 * @param failures why valid files could not be applied, by dag_id
 */
export function listBrokenFiles(
  files: readonly PipelineFile[],
  compilations: readonly Compilation[],
  failures: ReadonlyMap<string, string>,
): BrokenFile[] {
  const ids = new Map(files.map((each) => [each.file, dagIdOf(each)]));
  return compilations
    .flatMap(({ file, plan, diagnostics }): BrokenFile[] => {
      const dagId = plan?.dagId ?? ids.get(file);
      const errors = diagnostics
        .filter(({ severity }) => severity === 'error')
        .map((each) => `${each.file === file ? '' : `${each.file}:`}${each.line}:${each.column} ${each.code} ${each.message}`);
      const reasons = plan ? [failures.get(plan.dagId) ?? []].flat() : errors;
      const [first] = reasons;
      if (first === undefined) return [];
      return [{ file, ...(dagId !== undefined && { dagId }), mistake: shorten(first), mistakes: reasons.length }];
    })
    .slice(0, MAX_BROKEN_FILES);
}

function shorten(text: string): string {
  return escapeLine(text.length > MAX_MISTAKE ? `${text.slice(0, MAX_MISTAKE - 1)}…` : text);
}
