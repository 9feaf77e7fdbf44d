// Plain JavaScript: it runs before TypeScript can be read.
import { closeSync, openSync, readFileSync, readSync, writeSync } from 'node:fs';

/** These stay: they are no secrets, and libraries may have kept pointers to them. */
const PLAIN = /^(PATH|HOME|USER|LOGNAME|SHELL|PWD|LANG|LANGUAGE|LC_\w+|TZ|TMPDIR|TERM|HOSTNAME)=/;

/**
 * Clears the block of memory in which Linux has given this process its environment: every program of the same user can read it in
 * /proc/<pid>/environ, for as long as this process lives. `process.env` keeps its values, elsewhere. Where that cannot be done, such as on
 * a system without /proc, nothing changes; `command` tasks look whether it was (activities/support/programs/readable-secrets.ts).
 */
export function hideEnvironment() {
  try {
    const stat = readFileSync('/proc/self/stat', 'utf8');
    // After the name of the program, which may hold spaces and brackets: see proc(5), env_start and env_end.
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
    // There is no /proc, or it may not be written.
  }
}

/** @param {Buffer} block `NAME=value` each, ended by a zero byte */
function cleared(block) {
  for (let at = 0; at < block.length;) {
    const next = block.indexOf(0, at);
    const end = next < 0 ? block.length : next;
    if (!PLAIN.test(block.toString('latin1', at, end))) block.fill(0, at, end);
    at = end + 1;
  }
  return block;
}
