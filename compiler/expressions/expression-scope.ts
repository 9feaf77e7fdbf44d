import type { EventShape } from '../../sensors/define-trigger.ts';
import { RUN_NAMES } from '../../workflows/plan/expressions/run-names.ts';
import type { Shape } from '../../workflows/plan/expressions/shape.ts';
import { putByName } from '../../workflows/plan/tasks/outputs.ts';
import type { KnownConnections } from '../check/known-connections.ts';

/** Names that are available only in some places. */
export const OTHER_NAMES = ['params', 'outputs', 'item', 'event', 'event_meta', 'conn', 'failure'] as const;

/** The names that expressions at one place can use. */
export interface ExpressionScope {
  /** The outputs of tasks by name (also `group.task`); `readable` decides which may be read. */
  readonly outputs: ReadonlyMap<string, Shape>;
  /** Whether the output of a task can be read here, or else the reason why not. */
  readable(task: string): true | string;
  readonly params: Readonly<Record<string, Shape>>;
  /** Loop variables: `item`. */
  readonly items: Readonly<Record<string, Shape>>;
  /** The shape of events that may have started the run; undefined: none. */
  readonly event: EventShape | undefined;
  /** Whether the run has failed at this point; `maybe`: `failure` may be null. */
  readonly hasFailed: boolean | 'maybe';
  readonly connections: KnownConnections;
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

/** Stores the type of the output that a path reads, as expressions read it; does nothing if it is unknown. */
export function putOutputShape(shapes: Record<string, Shape>, path: readonly string[], outputs: ReadonlyMap<string, Shape>): void {
  const task = taskOf(path, { outputs });
  const shape = task === undefined ? undefined : outputs.get(task);
  if (shape !== undefined && task !== undefined) putByName(shapes, task, shape, SHAPES);
}

/** Whether every run has this name, such as `ds`. */
export function isRunName(name: string | undefined): boolean {
  return name !== undefined && Object.hasOwn(RUN_NAMES, name);
}
