import { constants, createWriteStream } from 'node:fs';
import { mkdir, open, readdir, writeFile } from 'node:fs/promises';
import { basename, dirname, join, normalize, relative, sep } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { Upload } from '@aws-sdk/lib-storage';
import { formatS3Uri, getObject, listObjects, parseS3Uri } from '../../../lib/s3.ts';
import { withTemporaryFolder } from '../../../lib/temporary-folder.ts';
import { exactJsonText } from '../../../workflows/plan/values/exact-json.ts';
import type { JsonObject } from '../../../workflows/plan/values/json.ts';
import { MANIFEST_NAME } from '../../../workflows/plan/datasets/dataset.ts';
import { runCommand } from '../../command/run-command.ts';
import { fetchDataFile } from '../dataset/fetch-data-file.ts';
import type { StoredManifest } from '../dataset/read-manifest.ts';
import type { Storage } from '../dataset/storage.ts';
import { askStorage } from '../dataset/storage-failure.ts';
import type { TaskContext } from '../../define-task.ts';
import { userFault } from '../../run/errors.ts';
import type { JobResult } from '../../spark/job-result.ts';
import { childUser, giveFolder } from '../programs/child-user.ts';

export interface ProgramCall {
  readonly argv: readonly string[];
  readonly params: JsonObject;
  /**
   * Maps an environment variable, which receives the path of a folder, to the source of the folder's files: all files under
   * `s3://bucket/prefix/`, or the files of a manifest, together with the manifest.
   */
  readonly reads: Readonly<Record<string, string | StoredManifest>>;
  readonly storage: Storage;
}

/**
 * Runs a program that does not need to know S3: its inputs are in folders, files in the folder `SLUICE_OUTPUT` are uploaded to S3
 * afterwards, and `SLUICE_PARAMS` is a JSON text. The worker must allow the program, as for `command`.
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
    for (const [name, place] of Object.entries(reads)) {
      const folder = folders[name] ?? work;
      await (typeof place === 'string'
        ? download(storage, place, folder, ctx.signal)
        : downloadDataset(storage, place, folder, ctx.signal));
    }
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
      // A key may contain `..`; a file outside of the folder is not part of the data.
      if (name.endsWith('/') || !file.startsWith(folder + sep)) continue;
      await mkdir(dirname(file), { recursive: true });
      await pipeline(await getObject(storage.client, { bucket: prefix.bucket, key }, signal), createWriteStream(file), { signal });
    }
  });
}

/** Downloads only the files in the manifest: others in the folder, such as those of a failed attempt, are not part of the data. */
async function downloadDataset(
  storage: Storage,
  { uri, content, text }: StoredManifest,
  folder: string,
  signal: AbortSignal,
): Promise<void> {
  const prefix = uri.slice(0, uri.lastIndexOf('/') + 1);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, MANIFEST_NAME), text);
  for (const entry of content.entries) {
    // If the manifest is a copy, its files are in the folder of a run beside it.
    const file = join(folder, entry.url.startsWith(prefix) ? entry.url.slice(prefix.length) : basename(entry.url));
    await mkdir(dirname(file), { recursive: true });
    await fetchDataFile(storage, entry, file, signal);
  }
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
      // A program that is still running may have replaced the file by a link to one of the worker's files.
      const Body = (await open(file, constants.O_RDONLY | constants.O_NOFOLLOW)).createReadStream();
      await new Upload({ client: storage.client, params: { Bucket: prefix.bucket, Key, Body } }).done();
    }
  });
}
