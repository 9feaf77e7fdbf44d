// Plain JavaScript: the launcher runs without a TypeScript loader, so that it starts in 40 ms and outlives the worker's.
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

/**
 * What tells a process from a later one with the same pid: the boot of the machine and when the process started.
 * Undefined when there is no such process, or only a zombie that nobody has waited for (usual in containers).
 * @param {number} pid
 * @returns {string | undefined}
 */
export function processIdentity(pid) {
  if (process.platform !== 'linux') return psRows(['-p', String(pid)])[0]?.identity;
  const row = procRow(pid);
  return row && `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()}/${row.startTime}`;
}

/**
 * The living processes of the session that process `leader` opened: those that have moved to a process group of their own too, as
 * PySpark's daemon of Python workers does.
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
    // The second field is the program's name in brackets and may itself hold spaces and brackets.
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
