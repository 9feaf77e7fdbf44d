// Plain JavaScript: the launcher needs no TypeScript loader, so it starts in 40 ms and does not depend on the worker's loader.
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

/**
 * Distinguishes a process from a later one with the same pid: the machine's boot, and the start time of the process.
 * Undefined when there is no such process, or only a zombie that was not reaped (common in containers).
 * @param {number} pid
 * @returns {string | undefined}
 */
export function processIdentity(pid) {
  if (process.platform !== 'linux') return psRows(['-p', String(pid)])[0]?.identity;
  const row = procRow(pid);
  return row && `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()}/${row.startTime}`;
}

/**
 * The living processes of the session that process `leader` opened, including those in other process groups, such as PySpark's daemon of
 * Python workers.
 * @param {number} leader
 * @returns {number[]}
 */
export function sessionMembers(leader) {
  if (process.platform !== 'linux') {
    return psRows(['-A'])
      .filter((row) => row.group === leader)
      .map((row) => row.pid);
  }
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 0 && procRow(pid)?.session === leader);
}

/** @param {number} pid */
function procRow(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field is the program's name in parentheses, and may itself contain spaces and parentheses.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (fields[0] === 'Z' || fields[0] === 'X') return undefined;
    return { session: Number(fields[3]), startTime: fields[19] };
  } catch {
    return undefined;
  }
}

/** @param {string[]} selection */
function psRows(selection) {
  try {
    return execFileSync('ps', [...selection, '-o', 'pid=,pgid=,stat=,lstart='], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      env: { PATH: process.env.PATH, LC_ALL: 'C', TZ: 'UTC' },
    })
      .split('\n')
      .map((line) => line.trim().split(/\s+/))
      .filter((words) => words.length > 3 && !words[2]?.startsWith('Z'))
      .map(([pid, group, , ...started]) => ({ pid: Number(pid), group: Number(group), identity: started.join(' ') }));
  } catch {
    return [];
  }
}
