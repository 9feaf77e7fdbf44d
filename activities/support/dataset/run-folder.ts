import { createHash } from 'node:crypto';
import { canonicalJson, type Json } from '../../../workflows/plan/values/json.ts';
import type { DataVariant, RunIdentity } from '../../../workflows/plan/tasks/task-input.ts';

/** The task and run that write: an operator's retry is a separate writer, a further attempt is not. */
export interface WriterIdentity {
  readonly run: RunIdentity;
  /** Includes the index of its batch item and the round of an operator's retry: `extract[3]#2`. */
  readonly task: string;
  /** The same for every attempt, and unique to this call of the task. */
  readonly idempotencyKey: string;
}

/**
 * The common prefix of the folders of all runs that write the same data: same task, interval and variant.
 * @returns `run-1f2e3d4c-`
 */
export function runFolderPrefix({ run, task }: Pick<WriterIdentity, 'run' | 'task'>): string {
  return `run-${digest(JSON.stringify([run.dagId, taskName(task), variantKey(run.variant)]), 8)}-`;
}

/**
 * The folder that a task of a run owns. Among folders of the same data, names sort by the start time of their run.
 * @returns `run-1f2e3d4c-20240102T000000.120Z-0123456789ab/`
 */
export function runFolder(writer: WriterIdentity): string {
  return `${runFolderPrefix(writer)}${writer.run.startedAt.replace(/[-:]/g, '')}-${digest(writer.idempotencyKey, 12)}/`;
}

/**
 * The folder, under an interval's, of the manifest for readers outside Sluice: empty for the default data, `region=eu/` for plain
 * parameters, else a digest.
 */
export function variantFolder(variant: DataVariant | undefined): string {
  if (!variant) return '';
  const { params = {}, event } = variant;
  if (event !== undefined) return `event-${digest(variantKey(variant), 12)}/`;
  const words = Object.entries(params).sort(byName).map(plainWord);
  const text = words.join(',');
  return words.includes(undefined) || text.length > 100 ? `params-${digest(variantKey(variant), 12)}/` : `${text}/`;
}

/** A text that identifies a variant, independent of the order of its parameters; empty for the default data. */
function variantKey(variant: DataVariant | undefined): string {
  if (!variant) return '';
  const { params = {}, event } = variant;
  return canonicalJson([params, event ?? null]);
}

/** A digest of 32 characters that identifies a variant; empty for the default data. */
export function variantDigest(variant: DataVariant | undefined): string {
  return variant ? digest(variantKey(variant), 32) : '';
}

/** Undefined if the text would be ambiguous: `1` is the number, so the text "1" is not plain. */
function plainWord([name, value]: [string, Json | undefined]): string | undefined {
  const isPlain = typeof value === 'string' ? /^[A-Za-z][\w.-]*$/.test(value) && !/^(true|false|null)$/.test(value) : isPlainScalar(value);
  return isPlain && /^\w+$/.test(name) ? `${name}=${String(value)}` : undefined;
}

function isPlainScalar(value: Json | undefined): boolean {
  return typeof value === 'boolean' || (typeof value === 'number' && Number.isSafeInteger(value));
}

function byName([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function digest(text: string, length: number): string {
  return createHash('sha256').update(text).digest('hex').slice(0, length);
}

/** A task without the round of an operator's retry: its data replaces that of the previous round. */
export function taskName(task: string): string {
  return task.replace(/#\d+/, '');
}
