import { chmod, mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Report } from './parts/part.ts';
import { runTool } from './run-tool.ts';
import { versions } from './versions.ts';

/** Abort a download without progress after this time: the CLI can be built instead. */
const SILENCE_MS = 20_000;
const POLL_MS = 500;

/**
 * Has the Temporal SDK download its CLI to `executable`. The SDK can only download while starting the server and cannot be cancelled, so
 * this runs in a separate process. Returns false if the download server is not reachable.
 */
export async function downloadTemporal(environment: NodeJS.ProcessEnv, executable: string, report: Report): Promise<boolean> {
  const folder = `${executable}.download`;
  await mkdir(folder, { recursive: true });
  const abort = new AbortController();
  const watching = watch(folder, abort, report);
  try {
    report('downloading it');
    await runTool(process.execPath, ['--input-type=module', '-e', PROGRAM, folder, `v${versions.temporalCli}`], {
      environment,
      workingFolder: fileURLToPath(new URL('../..', import.meta.url)), // contains the SDK
      signal: abort.signal,
    });
    const [downloaded] = (await readdir(folder)).filter((name) => name.startsWith('temporal'));
    if (downloaded === undefined) return false;
    await rename(join(folder, downloaded), executable);
    await chmod(executable, 0o755);
    return true;
  } catch {
    return false;
  } finally {
    abort.abort();
    await watching;
    await rm(folder, { recursive: true, force: true });
  }
}

const PROGRAM = `
import { TestWorkflowEnvironment } from '@temporalio/testing';
const [downloadDir, version] = process.argv.slice(1);
const server = { executable: { type: 'cached-download', downloadDir, version } };
try {
  const environment = await TestWorkflowEnvironment.createLocal({ server });
  await environment.teardown();
} catch (error) {
  console.error(String(error));
  process.exit(1);
}
process.exit(0);
`;

async function watch(folder: string, abort: AbortController, report: Report): Promise<void> {
  let size = 0;
  for (let grew = Date.now(); !abort.signal.aborted; await delay(POLL_MS)) {
    const now = await sizeOf(folder);
    if (now > size) {
      grew = Date.now();
      size = now;
      report(`downloading it: ${Math.round(size / 1e6)} MB`);
    }
    if (Date.now() - grew > SILENCE_MS) abort.abort();
  }
}

async function sizeOf(folder: string): Promise<number> {
  try {
    const sizes = await Promise.all((await readdir(folder)).map(async (name) => (await stat(join(folder, name))).size));
    return sizes.reduce((sum, size) => sum + size, 0);
  } catch {
    return 0;
  }
}
