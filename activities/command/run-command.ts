import { basename, resolve } from 'node:path';
import { projectRoot } from '../../lib/roots.ts';
import { findProgram } from '../../lib/find-program.ts';
import { parseExactJson } from '../../workflows/plan/values/exact-json.ts';
import type { Json } from '../../workflows/plan/values/json.ts';
import type { TaskContext } from '../define-task.ts';
import { platformFault, userFault } from '../run/errors.ts';
import { childEnvironment } from '../support/programs/child-environment.ts';
import { type ChildUser, childUser } from '../support/programs/child-user.ts';
import { readableSecrets } from '../support/programs/readable-secrets.ts';
import { commandPolicy } from './command-policy.ts';
import { type ProgramEnd, runProgram } from './run-program.ts';

export interface CommandResult {
  readonly exit_code: number;
  readonly stdout: string;
  /** Standard output parsed as JSON: all of it, or else its last line; null if neither is JSON. */
  readonly json: Json;
}

const SHOWN = 2_000;

/** The program that a task runs, with its variables. */
export interface CommandRequest {
  readonly argv: readonly string[];
  /** Variables that the pipeline sets. */
  readonly env?: Readonly<Record<string, string>>;
  /** Variables that the task type itself sets. */
  readonly given?: Readonly<Record<string, string>>;
}

/**
 * Runs a program that this worker allows: `SLUICE_COMMANDS` must name the program and permit its variables (command-policy.ts).
 * Nothing is allowed by default. The program runs as the user in `SLUICE_RUN_AS`, if set.
 * @throws ApplicationFailure `AccessDenied`, `ProgramNotFound`, `JobFailed`
 */
export async function runCommand(
  context: Pick<TaskContext, 'dagId' | 'task' | 'interval' | 'idempotencyKey' | 'signal'>,
  { argv, env = {}, given = {} }: CommandRequest,
  environment: NodeJS.ProcessEnv = process.env,
): Promise<CommandResult> {
  const [program = '', ...rest] = argv;
  checkPolicy(program, env, environment);
  const user = childUser(environment);
  if (!user) refuseReadableSecrets();
  const file = programFile(program, environment);
  const end = await runProgram([file, ...rest], {
    environment: {
      ...childEnvironment(environment, user),
      SLUICE_DAG_ID: context.dagId,
      SLUICE_TASK: context.task,
      SLUICE_DATA_INTERVAL_START: context.interval.start,
      SLUICE_DATA_INTERVAL_END: context.interval.end,
      SLUICE_IDEMPOTENCY_KEY: context.idempotencyKey,
      ...given,
      ...env,
    },
    folder: projectRoot(environment),
    user,
    signal: context.signal,
  }).catch((error: NodeJS.ErrnoException) => {
    throw userFault('ProgramNotFound', `'${program}' cannot be started on this worker${asUser(user)}: ${error.message}.`, error);
  });
  context.signal.throwIfAborted();
  if (end.code !== 0) throw platformFault('JobFailed', sayEnd(program, end));
  return { exit_code: 0, stdout: end.stdout, json: jsonOf(end.stdout) };
}

function checkPolicy(program: string, env: Readonly<Record<string, string>>, environment: NodeJS.ProcessEnv): void {
  const policy = commandPolicy(environment);
  if (program === '' || !policy.programs.includes(program)) {
    throw userFault(
      'AccessDenied',
      `This worker does not allow the program '${program}'. It allows: ${policy.programs.join(', ') || 'none'}. ` +
        'To allow it, add it to SLUICE_COMMANDS of the workers.',
    );
  }
  for (const variable of Object.keys(env)) {
    const reason = policy.refusal(program, variable);
    if (reason === undefined) continue;
    throw userFault(
      'AccessDenied',
      `'env' sets ${variable}, which this worker does not allow for '${program}': ${reason}. Hand the value over in 'argv', or under another name.`,
    );
  }
}

/** A program that runs as the worker's user can read the environment of the worker and of its parent processes. @throws ApplicationFailure `AccessDenied` */
export function refuseReadableSecrets(): void {
  const holder = readableSecrets();
  if (!holder) return;
  throw userFault(
    'AccessDenied',
    `This worker runs no programs: process ${holder.pid} (${holder.command}) was started with ${holder.variable} in its environment, where they could read it. ` +
      "Set SLUICE_RUN_AS, or start the worker with 'exec' and the file of the command (node_modules/.bin/sluice worker) in place of npm or npx.",
  );
}

/** The absolute path of a program, found through the worker's PATH and not the task's. */
function programFile(program: string, environment: NodeJS.ProcessEnv): string {
  if (program.includes('/')) return resolve(projectRoot(environment), program);
  const file = findProgram(program, environment);
  if (file !== undefined) return file;
  throw userFault('ProgramNotFound', `'${program}' is not on the PATH of this worker. Install it there, or name it with its whole path.`);
}

function asUser(user: ChildUser | undefined): string {
  return user ? ` as user ${user.name ?? `${user.uid}:${user.gid}`}` : '';
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
      // Output that is not JSON is allowed.
    }
  }
  return null;
}
