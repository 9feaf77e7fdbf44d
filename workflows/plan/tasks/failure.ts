import type { Shape } from '../expressions/shape.ts';

/** The failure of a run as its handlers read it: `failure.task`. */
export interface Failure {
  /** The task that failed first, with its group and list item: `load[3]`; empty if the run timed out. */
  readonly task: string;
  readonly error: string;
  /** The number of attempts. */
  readonly attempts: number;
  /** The run in the web UI; empty if no address is configured. */
  readonly run_url: string;
}

export const FAILURE = {
  fields: { task: 'string', error: 'string', attempts: 'int', run_url: 'string' } satisfies Record<keyof Failure, Shape>,
} as const;

/** Facts that only the host knows. Reading them costs a step of the run, so the plan lists those that its handlers read. */
export const HOST_FACTS = ['attempts', 'run_url'] as const satisfies readonly (keyof Failure)[];
export type HostFact = (typeof HOST_FACTS)[number];
export type HostFacts = Pick<Failure, HostFact>;

/** A run's question to a worker about its failure. Wire data. */
export interface FailureQuestion {
  readonly workflowId: string;
  readonly runId: string;
  /** For a list, includes the item. */
  readonly task: string;
  readonly wanted: readonly HostFact[];
}

/** Maximum length of an error in handlers: messages to people have limits, and the run has the full text. */
const MAX_ERROR = 1_000;

/** Truncates an error for handlers. */
export function failureText(error: string): string {
  const characters = Array.from(error.slice(0, 2 * MAX_ERROR + 1));
  return characters.length > MAX_ERROR ? `${characters.slice(0, MAX_ERROR).join('')}…` : error;
}

/**
 * How often a task was tried: rounds (`load#2`) are added up.
 * @param task for a list, with the item: `load[3]`
 * @param tried the attempts of each activity and of each child run, by id
 * @returns at least 1: a task whose parameters could not be evaluated counts as tried
 */
export function attemptsOf(task: string, tried: Iterable<readonly [id: string, attempts: number]>): number {
  let sum = 0;
  for (const [id, attempts] of tried) if (id === task || id.startsWith(`${task}#`)) sum += attempts;
  return Math.max(sum, 1);
}
