// Plain JavaScript: dev/bootstrap.mjs needs it before node_modules exists.
import { randomBytes } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, statSync, unlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { processIdentity } from './process-identity.mjs';

/** A live holder touches its lock at this interval … */
const TOUCH_MS = 5_000;
/** … so that a holder on another machine (a shared home folder), whose processes are not visible, counts as dead after this time. */
const SILENT_MS = 60_000;
/** Removing a dead lock takes milliseconds; a remover that needs longer was killed. */
const REMOVAL_MS = 5_000;
const POLL_MS = 100;

/** Another process held the lock for too long. */
export class LockTimeout extends Error {
  /** @param {string} path @param {number | undefined} pid */
  constructor(path, pid) {
    super(`another process (${pid ?? 'unknown'}) is still at work: it holds ${path}`);
    this.name = 'LockTimeout';
    this.pid = pid;
  }
}

/**
 * Runs `work` while holding the lock file `path`. Takes over the lock of a dead owner; waits for a live one.
 * @template T
 * @param {string} path
 * @param {() => Promise<T>} work
 * @param {{ onWait?: (pid: number | undefined) => void, timeoutMs?: number }} [options]
 * @returns {Promise<T>}
 */
export async function withFileLock(path, work, options = {}) {
  mkdirSync(dirname(path), { recursive: true });
  const mine = JSON.stringify({ pid: process.pid, identity: processIdentity(process.pid), host: hostname(), token: token() });
  const deadline = Date.now() + (options.timeoutMs ?? Infinity);
  for (let isNotified = false; !createWhole(path, mine);) {
    const owner = liveOwner(path);
    if (owner === undefined) {
      removeDead(path);
      continue;
    }
    if (Date.now() > deadline) throw new LockTimeout(path, owner.pid);
    if (!isNotified) options.onWait?.(owner.pid);
    isNotified = true;
    await delay(POLL_MS);
  }
  const touching = setInterval(() => quietly(() => utimesSync(path, new Date(), new Date())), TOUCH_MS);
  touching.unref();
  try {
    return await work();
  } finally {
    clearInterval(touching);
    // Another process may have deleted the folder and locked it again, so remove only the lock of this process.
    if (read(path) === mine) quietly(() => unlinkSync(path));
  }
}

/** Creates the file atomically with its content, so that no process reads a partial lock. */
function createWhole(/** @type {string} */ path, /** @type {string} */ content) {
  const temporary = `${path}.${process.pid}.${token()}`;
  try {
    writeFileSync(temporary, content);
    linkSync(temporary, path);
    return true;
  } catch (error) {
    const code = /** @type {NodeJS.ErrnoException} */ (error).code;
    if (code === 'EEXIST') return false;
    // `clean` may delete the folder during the wait.
    if (code === 'ENOENT') {
      mkdirSync(dirname(path), { recursive: true });
      return false;
    }
    if (code !== 'EPERM' && code !== 'ENOTSUP' && code !== 'EOPNOTSUPP') throw error;
    return createExclusive(path, content); // a file system without hard links
  } finally {
    quietly(() => unlinkSync(temporary));
  }
}

function createExclusive(/** @type {string} */ path, /** @type {string} */ content) {
  try {
    writeFileSync(path, content, { flag: 'wx' });
    return true;
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === 'EEXIST') return false;
    throw error;
  }
}

/** The owner if it is alive, else undefined. */
function liveOwner(/** @type {string} */ path) {
  try {
    const owner = JSON.parse(readFileSync(path, 'utf8'));
    if (typeof owner?.pid !== 'number') return undefined;
    const alive =
      owner.host === hostname() ? processIdentity(owner.pid) === owner.identity : Date.now() - statSync(path).mtimeMs < SILENT_MS;
    return alive ? { pid: /** @type {number} */ (owner.pid) } : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Two processes that find the same dead lock must not both remove it: the second would remove the first one's new lock. So removal takes
 * turns, and checks the lock again.
 */
function removeDead(/** @type {string} */ path) {
  const turn = `${path}.removal`;
  if (!createExclusive(turn, '')) {
    quietly(() => {
      if (Date.now() - statSync(turn).mtimeMs > REMOVAL_MS) unlinkSync(turn);
    });
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
    return;
  }
  try {
    if (liveOwner(path) === undefined) quietly(() => unlinkSync(path));
  } finally {
    quietly(() => unlinkSync(turn));
  }
}

function read(/** @type {string} */ path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

function quietly(/** @type {() => void} */ action) {
  try {
    action();
  } catch {
    // already deleted
  }
}

function token() {
  return randomBytes(6).toString('hex');
}
