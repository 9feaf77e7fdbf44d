// Plain JavaScript: runs before node_modules exists.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { withFileLock } from './file-lock.mjs';

export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const lockFile = join(root, 'package-lock.json');
const stampFile = join(root, 'node_modules/.sluice-lock-hash');
const NOTE_MS = 10_000;

/** Installs the packages of package-lock.json with `npm ci`, unless they are installed. Safe to run concurrently. */
export async function installPackages() {
  if (isCurrent()) return;
  const onWait = (/** @type {number | undefined} */ pid) =>
    console.error(`… another process (${pid}) is installing the npm packages, waiting`);
  await withFileLock(
    join(root, '.sluice/run/npm.lock'),
    async () => {
      if (isCurrent()) return;
      const hash = lockHash();
      if (!matchesLock()) await npmCi();
      writeFileSync(stampFile, hash);
    },
    { onWait },
  );
}

function isCurrent() {
  return readText(stampFile) === lockHash();
}

function lockHash() {
  const text = readText(lockFile);
  if (text === undefined) throw new Error(`there is no ${lockFile}: the clone is not whole`);
  return createHash('sha256').update(text).digest('hex');
}

/**
 * Whether npm has already installed the packages of the lock file (by `npm ci` or `npm install`), according to npm's own list. Packages for
 * other platforms are only in the lock file.
 */
function matchesLock() {
  const locked = packagesOf(lockFile);
  const present = packagesOf(join(root, 'node_modules/.package-lock.json'));
  if (locked === undefined || present === undefined) return false;
  const same = (/** @type {string} */ path) => locked[path]?.version === present[path]?.version;
  const all = Object.keys(locked).filter((path) => path !== '' && !locked[path]?.optional);
  return [...all, ...Object.keys(present)].every(same);
}

/** @returns {Record<string, { version?: string, optional?: boolean }> | undefined} */
function packagesOf(/** @type {string} */ file) {
  try {
    return JSON.parse(readText(file) ?? '').packages;
  } catch {
    return undefined;
  }
}

async function npmCi() {
  const began = Date.now();
  const seconds = () => `${Math.round((Date.now() - began) / 1000)} s`;
  console.error('… Installing the npm packages with npm ci; usually under a minute');
  // npm shows live progress on a terminal; elsewhere this prints a line at intervals.
  const noting = setInterval(() => console.error(`… Installing the npm packages (${seconds()})`), NOTE_MS);
  try {
    const child = spawn('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
      cwd: root,
      // Keep stdout free for the output of the program that runs next.
      stdio: ['ignore', process.stderr, process.stderr],
      shell: process.platform === 'win32',
    });
    const failure = await new Promise((resolve) => {
      child.once('error', (error) => resolve(`npm could not be started: ${error.message}`));
      child.once('close', (code, signal) => resolve(code === 0 ? undefined : `npm ci ended with ${signal ?? `exit code ${code}`}`));
    });
    if (failure !== undefined) throw new Error(`✗ The npm packages are not installed: ${failure}. Its messages are above; start again.`);
    console.error(`✓ Installed the npm packages (${seconds()})`);
  } finally {
    clearInterval(noting);
  }
}

function readText(/** @type {string} */ path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
