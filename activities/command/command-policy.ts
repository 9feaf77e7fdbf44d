import type { Environment } from '../../lib/environment.ts';
import { refusedName } from './env-names.ts';

/** The programs and variables that a worker allows in `command` tasks. */
export interface CommandPolicy {
  /** The programs in `SLUICE_COMMANDS`, as written there. */
  readonly programs: readonly string[];
  /** The reason why a task may not set this variable for this program; undefined if it may. */
  refusal(program: string, variable: string): string | undefined;
}

/**
 * Parses `SLUICE_COMMANDS`: programs separated by commas. Parentheses after a program list the only variables that tasks may set for it,
 * separated by spaces: `python3(REGION DAY),/opt/report()`. Variables that control loaders and interpreters are always refused.
 */
export function commandPolicy(environment: Environment): CommandPolicy {
  const programs = new Map<string, readonly string[] | undefined>();
  for (const entry of (environment.SLUICE_COMMANDS ?? '').split(',')) {
    const [, program = '', names] = /^\s*([^()]*?)\s*(?:\(([^()]*)\))?\s*$/.exec(entry) ?? [];
    if (program !== '')
      programs.set(
        program,
        names?.split(/\s+/).filter((name) => name !== ''),
      );
  }
  return {
    programs: [...programs.keys()],
    refusal(program, variable) {
      const reason = refusedName(variable);
      const names = programs.get(program);
      if (reason !== undefined || names === undefined || names.includes(variable)) return reason;
      return `SLUICE_COMMANDS allows ${names.join(', ') || 'none'}`;
    },
  };
}
