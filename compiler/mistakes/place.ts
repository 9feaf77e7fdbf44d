import type { Path } from '../read/source.ts';

/** The checked object: a whole file, or one task, trigger or resource in it. */
export interface Place {
  readonly kind: 'pipeline' | 'task' | 'trigger' | 'file' | 'resource';
  readonly path: Path;
  /** The type of the task, trigger or resource. */
  readonly type?: string;
  /** Task types that have a key which this type lacks. */
  elsewhere?(key: string): readonly string[];
  /** Examples of the key at a path below this place, as YAML. */
  examples(inner: Path): readonly string[];
}

/** The last key of a path: `rows[0]` for an element of a list. */
export function nameOf(inner: Path): string | undefined {
  const at = inner.findLastIndex((step) => typeof step === 'string');
  const indexes = inner.slice(at + 1).map((step) => `[${step}]`);
  return at < 0 ? undefined : `${inner[at] ?? ''}${indexes.join('')}`;
}

/** Describes where a key is, for a message about it. */
export function placeName({ kind, type }: Place, inner: Path): string {
  if (inner.length > 0) return ` in '${inner.filter((step) => typeof step === 'string').join('.')}'`;
  return kind === 'pipeline' || kind === 'file' ? '' : ` in a ${kind} of type ${type ?? '?'}`;
}

/** The examples of a key, as a hint. */
export function exampleHint({ examples }: Place, inner: Path): string | undefined {
  const shown = examples(inner).map((each) => `\`${each}\``);
  return shown.length === 0 ? undefined : `for example ${shown.join(' or ')}`;
}
