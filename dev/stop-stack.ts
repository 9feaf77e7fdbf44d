import { rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { LockTimeout, withFileLock } from './launch/file-lock.mjs';
import { homeEntries, homePaths } from './home.ts';
import { partsNamed } from './servers/parts/catalog.ts';
import { type Part, type PartName, partNames } from './servers/parts/part.ts';
import { isAlive, readRecord, removeRecord, stopServer } from './servers/server-process.ts';
import { replaceStackEnvironment } from './stack-environment.ts';
import { StackBusy } from './stack-errors.ts';

/** A start in progress may take minutes; a stop does not wait for it. */
const BUSY_MS = 5_000;

/** Stops the local servers and keeps their data. Returns the names of those that ran. */
export async function stopStack(home: string, names: readonly PartName[] = partNames): Promise<PartName[]> {
  const stopping = partsNamed(names);
  const results = await Promise.allSettled(stopping.map((part) => stopPart(home, part)));
  const failed = results.find((result) => result.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  await replaceStackEnvironment(home, stopping, {});
  return stopping.filter((_, index) => (results[index] as PromiseFulfilledResult<boolean>).value).map((part) => part.name);
}

/** Stops all local servers and deletes their data. Keeps the cache of fetched programs, which other clones use. */
export async function cleanStack(home: string): Promise<void> {
  await stopStack(home);
  for (const part of partsNamed(partNames)) await part.server?.clean?.({ home, environment: process.env });
  for (const entry of homeEntries) await rm(join(home, entry), { recursive: true, force: true, maxRetries: 3 });
  await rmdir(home).catch(() => {}); // fails if the folder contains other files
}

async function stopPart(home: string, part: Part): Promise<boolean> {
  if (part.server === undefined || (await readRecord(home, part.name)) === undefined) return false;
  try {
    return await withFileLock(
      homePaths.lock(home, part.name),
      async () => {
        const record = await readRecord(home, part.name);
        if (record === undefined) return false;
        const ran = isAlive(record);
        await stopServer(record);
        await removeRecord(home, part.name);
        return ran;
      },
      { timeoutMs: BUSY_MS },
    );
  } catch (error) {
    if (error instanceof LockTimeout)
      throw new StackBusy(`${part.title} is being started by process ${error.pid ?? 'unknown'}: stop that first`);
    throw error;
  }
}
