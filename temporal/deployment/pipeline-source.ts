import { sha256Hex } from '../../workflows/plan/values/sha256.ts';

/** Where a pipeline was applied from. Persisted as JSON in the memo of the Schedule's action. */
export interface PipelineSource {
  /** The project name; see `compiler/read/project.ts`. */
  readonly project: string;
  /** The file's path relative to the project root, with `/`. */
  readonly file: string;
}

/** The part of a source that a list of Schedules shows. */
export interface SourceMark {
  readonly project: string;
  readonly file: string;
}

const MEMO = 'sluice_source';
/** Hexadecimal digits: enough to distinguish projects and files of one deployment, and short enough for a search attribute. */
const MARK_LENGTH = 12;

export function sourceMemo(source: PipelineSource | undefined): Record<string, unknown> {
  return source ? { [MEMO]: source } : {};
}

export function readSourceMemo(memo: Record<string, unknown> | undefined): PipelineSource | undefined {
  return memo?.[MEMO] as PipelineSource | undefined;
}

export function markOf({ project, file }: PipelineSource): SourceMark {
  return { project: sha256Hex(project).slice(0, MARK_LENGTH), file: sha256Hex(file).slice(0, MARK_LENGTH) };
}
