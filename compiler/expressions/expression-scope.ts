import type { EventShape } from '../../sensors/define-trigger.ts';
import { RUN_NAMES } from '../../workflows/plan/expressions/run-names.ts';
import type { Shape } from '../../workflows/plan/expressions/shape.ts';
import { putByName } from '../../workflows/plan/tasks/outputs.ts';

/** The names that only some places have. */
export const OTHER_NAMES = ['params', 'outputs', 'item', 'event', 'event_meta', 'conn', 'failure'] as const;

/** What expressions at one place can name. */
export interface ExpressionScope {
  /** The outputs of tasks by name (`group.task` too); those that may be read are `readable`. */
  readonly outputs: ReadonlyMap<string, Shape>;
  /** Whether the output of a task can be read here; else why not. */
  readable(task: string): true | string;
  readonly params: Readonly<Record<string, Shape>>;
  /** Names that loops bind: `item`. */
  readonly items: Readonly<Record<string, Shape>>;
  /** What the events are that may have started the run; undefined: there are none. */
  readonly event: EventShape | undefined;
  /** Whether the run has failed where the expression is evaluated; `maybe`: `failure` may be null. */
  readonly hasFailed: boolean | 'maybe';
  /** The type of a connection; undefined: not known. */
  connectionType(name: string): string | undefined;
}

/** The task whose output a reference reads. */
export function taskOf(path: readonly string[], { outputs }: Pick<ExpressionScope, 'outputs'>): string | undefined {
  const steps = path.slice(1);
  return steps.map((_, index) => steps.slice(0, index + 1).join('.')).find((name) => outputs.has(name));
}

const SHAPES = {
  open: (group: Shape | undefined) => (typeof group === 'object' && 'fields' in group ? group.fields : {}),
  close: (fields: Record<string, Shape>): Shape => ({ fields }),
};

/** Puts the type of the output that a path reads where expressions read it; nothing where it is not known. */
export function putOutputShape(shapes: Record<string, Shape>, path: readonly string[], outputs: ReadonlyMap<string, Shape>): void {
  const task = taskOf(path, { outputs });
  const shape = task === undefined ? undefined : outputs.get(task);
  if (shape !== undefined && task !== undefined) putByName(shapes, task, shape, SHAPES);
}

/** Whether a name is one that every run has, such as `ds`. */
export function isRunName(name: string | undefined): boolean {
  return name !== undefined && Object.hasOwn(RUN_NAMES, name);
}
