import type { Shape } from '../expressions/shape.ts';

/** What handlers read of the failure of their run: `failure.task`. */
export interface Failure {
  /** The task that failed first, with its group, and with the item of a list: `load[3]`; empty where the run as a whole took too long. */
  readonly task: string;
  readonly error: string;
  /** How often it was tried. */
  readonly attempts: number;
  /** The run in the web UI; empty where no address of one is configured. */
  readonly run_url: string;
}

export const FAILURE = {
  fields: { task: 'string', error: 'string', attempts: 'int', run_url: 'string' } satisfies Record<keyof Failure, Shape>,
} as const;

/** What a host knows of a failure and the run does not. It costs a step of the run, so that a plan says which of it its handlers read. */
export const HOST_FACTS = ['attempts', 'run_url'] as const satisfies readonly (keyof Failure)[];
export type HostFact = (typeof HOST_FACTS)[number];
export type HostFacts = Pick<Failure, HostFact>;

/** What a run asks a worker of its failure. Wire data. */
export interface FailureQuestion {
  readonly workflowId: string;
  readonly runId: string;
  /** Of a list with the item. */
  readonly task: string;
  readonly wanted: readonly HostFact[];
}

/** Characters of an error that handlers read: messages to people have limits, and the run has all of it. */
const MAX_ERROR = 1_000;

/** An error as handlers read it. */
export function failureText(error: string): string {
  const characters = Array.from(error.slice(0, 2 * MAX_ERROR + 1));
  return characters.length > MAX_ERROR ? `${characters.slice(0, MAX_ERROR).join('')}…` : error;
}

/**
 * How often a task was tried: rounds by hand (`load#2`) count together.
 * @param task of a list with the item: `load[3]`
 * @param tried the attempts of each activity, and of each run of another pipeline, by its id
 * @returns at least 1: a task whose parameters could not be evaluated was tried as well
 */
export function attemptsOf(task: string, tried: Iterable<readonly [id: string, attempts: number]>): number {
  let sum = 0;
  for (const [id, attempts] of tried) if (id === task || id.startsWith(`${task}#`)) sum += attempts;
  return Math.max(sum, 1);
}
