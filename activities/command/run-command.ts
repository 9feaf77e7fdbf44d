import { basename } from 'node:path';
import { ROOT } from '../../lib/environment.ts';
import { parseExactJson } from '../../workflows/plan/exact-json.ts';
import type { Json } from '../../workflows/plan/json.ts';
import type { TaskContext } from '../define-task.ts';
import { platformFault, userFault } from '../errors.ts';
import { type ProgramEnd, runProgram } from './run-program.ts';

export interface CommandResult {
  readonly exit_code: number;
  readonly stdout: string;
  /** What it has said, where that is JSON: all of it, or its last line; else null. */
  readonly json: Json;
}

/** Of a worker's own environment a program gets these: none of them is a secret. */
const INHERITED = ['PATH', 'HOME', 'LANG', 'LC_ALL', 'TZ', 'TMPDIR', 'USER'] as const;
const SHOWN = 2_000;

/**
 * Runs a program that this worker allows: one that `SLUICE_COMMANDS` names, separated by commas. Nothing is allowed by default.
 * @throws ApplicationFailure `AccessDenied`, `ProgramNotFound`, `JobFailed`
 */
export async function runCommand(
  context: Pick<TaskContext, 'dagId' | 'task' | 'interval' | 'idempotencyKey' | 'signal'>,
  { argv, env = {} }: { readonly argv: readonly string[]; readonly env?: Readonly<Record<string, string>> },
  environment: NodeJS.ProcessEnv = process.env,
): Promise<CommandResult> {
  const [program = '', ...rest] = argv;
  const allowed = (environment['SLUICE_COMMANDS'] ?? '').split(',').map((name) => name.trim());
  if (program === '' || !allowed.includes(program)) {
    const these = allowed.filter((name) => name !== '').join(', ') || 'none';
    throw userFault(
      'AccessDenied',
      `This worker does not allow the program '${program}'. It allows: ${these}. Whoever runs the workers adds it to SLUICE_COMMANDS.`,
    );
  }
  const end = await runProgram([program, ...rest], {
    environment: {
      ...Object.fromEntries(INHERITED.flatMap((name) => (environment[name] === undefined ? [] : [[name, environment[name]]]))),
      SLUICE_DAG_ID: context.dagId,
      SLUICE_TASK: context.task,
      SLUICE_DATA_INTERVAL_START: context.interval.start,
      SLUICE_DATA_INTERVAL_END: context.interval.end,
      SLUICE_IDEMPOTENCY_KEY: context.idempotencyKey,
      ...env,
    },
    folder: ROOT,
    signal: context.signal,
  }).catch((error: NodeJS.ErrnoException) => {
    throw userFault('ProgramNotFound', `'${program}' cannot be started on this worker: ${error.message}.`, error);
  });
  context.signal.throwIfAborted();
  if (end.code !== 0) throw platformFault('JobFailed', sayEnd(program, end));
  return { exit_code: 0, stdout: end.stdout, json: jsonOf(end.stdout) };
}

function sayEnd(program: string, { code, signal, stdout, stderr }: ProgramEnd): string {
  const how = signal === null ? `ended with exit code ${code}` : `was ended by ${signal}`;
  const said = (stderr.trim() || stdout.trim()).slice(-SHOWN);
  return `${basename(program)} ${how}.${said === '' ? ' It has said nothing.' : `\n\nThe end of what it has said:\n${said}`}`;
}

function jsonOf(stdout: string): Json {
  const text = stdout.trim();
  for (const part of [text, text.slice(text.lastIndexOf('\n') + 1)]) {
    try {
      return parseExactJson(part);
    } catch {
      // Text is as good an output.
    }
  }
  return null;
}
