import type { Environment } from '../../lib/environment.ts';
import { refusedName } from './env-names.ts';

/** What a worker allows its `command` tasks. */
export interface CommandPolicy {
  /** As `SLUICE_COMMANDS` names them. */
  readonly programs: readonly string[];
  /** Why a task may not set this variable for this program; undefined when it may. */
  refusal(program: string, variable: string): string | undefined;
}

/**
 * Reads `SLUICE_COMMANDS`: programs, separated by commas; in brackets behind a program the only variables that tasks may set for it, separated
 * by blanks: `python3(REGION DAY),/opt/report()`. Those that steer loaders and interpreters are refused in any case.
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
