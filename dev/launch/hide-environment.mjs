// Plain JavaScript: runs before TypeScript can be loaded.
import { closeSync, openSync, readFileSync, readSync, writeSync } from 'node:fs';

/** These variables stay: they are not secret, and libraries may hold pointers to them. */
const PLAIN = /^(PATH|HOME|USER|LOGNAME|SHELL|PWD|LANG|LANGUAGE|LC_\w+|TZ|TMPDIR|TERM|HOSTNAME)=/;

/**
 * Clears the memory in which Linux passed the environment to this process: every program of the same user can read it in
 * /proc/<pid>/environ while the process lives. `process.env` keeps its values. Without /proc this has no effect; `command` tasks check it
 * (activities/support/programs/readable-secrets.ts).
 */
export function hideEnvironment() {
  try {
    const stat = readFileSync('/proc/self/stat', 'utf8');
    // Skip the program name, which may contain spaces and parentheses: see proc(5), env_start and env_end.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const [start, end] = [Number(fields[47]), Number(fields[48])];
    if (!(start > 0 && end > start)) return;
    // Setting a variable copies it to separate memory.
    for (const [name, value] of Object.entries(process.env)) process.env[name] = value;
    const memory = openSync('/proc/self/mem', 'r+');
    try {
      const block = Buffer.alloc(end - start);
      readSync(memory, block, 0, block.length, start);
      writeSync(memory, cleared(block), 0, block.length, start);
    } finally {
      closeSync(memory);
    }
  } catch {
    // /proc is missing or not writable.
  }
}

/** @param {Buffer} block entries `NAME=value`, each ended by a zero byte */
function cleared(block) {
  for (let at = 0; at < block.length;) {
    const next = block.indexOf(0, at);
    const end = next < 0 ? block.length : next;
    if (!PLAIN.test(block.toString('latin1', at, end))) block.fill(0, at, end);
    at = end + 1;
  }
  return block;
}
