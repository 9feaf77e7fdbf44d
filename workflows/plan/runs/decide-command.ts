import type { OpenWait } from '../tasks/task-table.ts';

/** The possible answers to a task that waits for people. */
export const DECISIONS = { approval: ['approve', 'reject'], held: ['retry', 'skip', 'fail'] } as const satisfies Record<
  OpenWait['kind'],
  readonly string[]
>;

/** The command that answers a task that waits for people. */
export function decideCommand(pipelineRunId: string, { task, kind, form }: Pick<OpenWait, 'task' | 'kind' | 'form'>): string {
  return `sluice decide ${pipelineRunId} ${task} ${DECISIONS[kind].join('|')}${form ? " --form '{…}'" : ''}`;
}
