// Runs one program and records how it ended, so that a worker that starts later can take over the program.
//   node launcher.mjs <folder> <purpose: JSON> <uid:gid, or empty for the own user> <program> [argument…]
// It opens its own session (the worker spawns it detached) and leads the process group of the program. In <folder>:
//   work          the program's working directory; already exists
//   process.json  the process that leads the group; created atomically, and only its creator runs the program: nothing runs twice
//   log           standard output and error of the program
//   exit.json     exit code or signal, once the program has ended
import { spawn } from 'node:child_process';
import { linkSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { constants, hostname } from 'node:os';
import { join } from 'node:path';
import { processIdentity } from '../support/programs/process-table.mjs';

const [folder = '', purpose = '{}', owner = '', program = '', ...argumentsOfProgram] = process.argv.slice(2);

// A signal to the group is meant for the program; the launcher stays alive to record how it ended.
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(signal, () => undefined);

if (claim()) runProgram();

function claim() {
  const draft = join(folder, `process.${process.pid}.json`);
  const record = { version: 1, pid: process.pid, identity: processIdentity(process.pid), host: hostname(), ...JSON.parse(purpose) };
  writeFileSync(draft, JSON.stringify(record), { mode: 0o600 });
  try {
    linkSync(draft, join(folder, 'process.json'));
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(draft);
  }
}

function runProgram() {
  const log = openSync(join(folder, 'log'), 'a', 0o600);
  const [uid, gid] = owner === '' ? [] : owner.split(':').map(Number);
  const child = spawn(program, argumentsOfProgram, { cwd: join(folder, 'work'), stdio: ['ignore', log, log], uid, gid });
  child.on('error', (error) => ended({ code: null, signal: null, error: error.message }));
  child.on('exit', (code, signal) => ended({ code, signal }));
}

function ended(outcome) {
  // A shell in between reports a signal as 128 plus its number.
  const signal = outcome.signal ?? Object.entries(constants.signals).find(([, number]) => number + 128 === outcome.code)?.[0] ?? null;
  const draft = join(folder, 'exit.draft.json');
  writeFileSync(draft, JSON.stringify({ version: 1, ...outcome, signal }), { mode: 0o600 });
  renameSync(draft, join(folder, 'exit.json'));
  process.exit(0);
}
