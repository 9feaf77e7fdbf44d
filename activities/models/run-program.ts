import { constants, createWriteStream } from 'node:fs';
import { mkdir, open, readdir } from 'node:fs/promises';
import { dirname, join, normalize, relative, sep } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { Upload } from '@aws-sdk/lib-storage';
import { formatS3Uri, getObject, listObjects, parseS3Uri } from '../../lib/s3.ts';
import { withTemporaryFolder } from '../../lib/temporary-folder.ts';
import { exactJsonText } from '../../workflows/plan/exact-json.ts';
import type { JsonObject } from '../../workflows/plan/json.ts';
import { runCommand } from '../command/run-command.ts';
import type { Storage } from '../dataset/storage.ts';
import { askStorage } from '../dataset/storage-failure.ts';
import type { TaskContext } from '../define-task.ts';
import { userFault } from '../errors.ts';
import type { JobResult } from '../spark/job-result.ts';
import { childUser, giveFolder } from '../support/child-user.ts';

export interface ProgramCall {
  readonly argv: readonly string[];
  readonly params: JsonObject;
  /** Environment variable → `s3://bucket/prefix/`: it gets the path of a folder with the files from there. */
  readonly reads: Readonly<Record<string, string>>;
  readonly storage: Storage;
}

/**
 * Runs a program that knows nothing of S3: what it reads is in folders, `SLUICE_OUTPUT` is a folder whose files go to S3 afterwards, and
 * `SLUICE_PARAMS` is a JSON text. It must be one that the worker allows, as for `command`.
 * @throws ApplicationFailure
 */
export async function runProgramOnFiles<R>(
  ctx: TaskContext,
  { argv, params, reads, storage }: ProgramCall,
  result: JobResult<R>,
): Promise<R> {
  const { output = '' } = result;
  return withTemporaryFolder('model', async (work) => {
    const folders = Object.fromEntries(Object.keys(reads).map((name) => [name, join(work, name.toLowerCase())]));
    for (const [name, uri] of Object.entries(reads)) await download(storage, uri, folders[name] ?? work, ctx.signal);
    const outputFolder = join(work, 'output');
    await mkdir(outputFolder);
    await giveFolder(work, childUser());
    await runCommand(ctx, { argv, given: { ...folders, SLUICE_OUTPUT: outputFolder, SLUICE_PARAMS: exactJsonText(params) } });
    await result.clear(ctx.signal);
    await upload(storage, outputFolder, output, ctx.signal);
    const published = await result.publish(ctx.signal);
    if (published !== undefined) {
      await result.tidy(ctx.signal);
      return published;
    }
    throw userFault(
      'DatasetNotFound',
      `'${argv[0]}' ended well but wrote nothing to the folder that SLUICE_OUTPUT names, ${result.advice}`,
    );
  });
}

async function download(storage: Storage, uri: string, folder: string, signal: AbortSignal): Promise<void> {
  const prefix = parseS3Uri(uri);
  await mkdir(folder, { recursive: true });
  await askStorage(storage, prefix.bucket, `read ${uri}`, async () => {
    for (const { key } of await listObjects(storage.client, prefix, signal)) {
      const name = key.slice(prefix.key.length);
      const file = normalize(join(folder, name));
      // A key may hold `..`; a file outside of the folder is nobody's data.
      if (name.endsWith('/') || !file.startsWith(folder + sep)) continue;
      await mkdir(dirname(file), { recursive: true });
      await pipeline(await getObject(storage.client, { bucket: prefix.bucket, key }, signal), createWriteStream(file), { signal });
    }
  });
}

async function upload(storage: Storage, folder: string, uri: string, signal: AbortSignal): Promise<void> {
  const prefix = parseS3Uri(uri);
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  await askStorage(storage, prefix.bucket, `write ${formatS3Uri(prefix)}`, async () => {
    for (const entry of entries) {
      if (!entry.isFile()) continue;
      signal.throwIfAborted();
      const file = join(entry.parentPath, entry.name);
      const Key = prefix.key + relative(folder, file).split(sep).join('/');
      // A program that is still there may have put a link to a file of the worker in its place.
      const Body = (await open(file, constants.O_RDONLY | constants.O_NOFOLLOW)).createReadStream();
      await new Upload({ client: storage.client, params: { Bucket: prefix.bucket, Key, Body } }).done();
    }
  });
}
