import { createReadStream, existsSync, readFileSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { findProgram } from '../../lib/find-program.ts';
import { linkedController } from '../../lib/linked-controller.ts';
import { projectRoot } from '../../lib/roots.ts';
import { parseS3Uri } from '../../lib/s3.ts';
import { withTemporaryFolder } from '../../lib/temporary-folder.ts';
import type { CamelConnection } from '../../connections/camel.ts';
import type { AwsConnection } from '../../lib/s3.ts';
import type { DatasetFile, DatasetReference } from '../../workflows/plan/datasets/dataset.ts';
import { refuseReadableSecrets } from '../command/run-command.ts';
import { type ProgramEnd, runProgram } from '../command/run-program.ts';
import type { TaskContext } from '../define-task.ts';
import { platformFault, userFault } from '../run/errors.ts';
import { abortAllUnder } from '../support/dataset/delete-under.ts';
import { checkRowCount } from '../support/dataset/min-rows.ts';
import type { DatasetOutput } from '../support/dataset/dataset-output.ts';
import { openDatasetOutput } from '../support/dataset/open-dataset-output.ts';
import { PartWriter } from '../support/dataset/part-writer.ts';
import { readManifest } from '../support/dataset/read-manifest.ts';
import { openStorage, type Storage } from '../support/dataset/storage.ts';
import { childEnvironment } from '../support/programs/child-environment.ts';
import { childUser } from '../support/programs/child-user.ts';
import { hiderOf } from './hide-properties.ts';
import { RouteFolder } from './route-folder.ts';

const POLL_MS = 250;
const DEFAULT_IDLE_SECONDS = 3;
/** The program does not end by itself when the route cannot be started: Camel's threads keep it alive. */
const NOT_STARTED = /^Exception in thread "main" .*$/m;
/** Characters of output that are searched for that line, and shown. */
const SEARCHED = 64 * 1024;
const SHOWN = 2_000;

export interface RouteParams {
  readonly route: string;
  readonly definition?: string;
  readonly placeholders?: Readonly<Record<string, string>>;
  readonly idle?: number;
  readonly min_exchanges?: number;
  readonly min_rows?: number;
  readonly aws_conn_id?: string;
}

export type RouteResult = DatasetReference & { readonly exchanges: number };

type RouteContext = Omit<TaskContext, 'connections'> & {
  readonly connections: { readonly camel: CamelConnection; readonly storage: AwsConnection };
};

/** Runs a route until it is idle, and publishes the files that it has written. */
export async function runRoute(ctx: RouteContext, params: RouteParams): Promise<RouteResult> {
  if (params.definition === undefined)
    throw userFault(
      'InvalidParameters',
      `The plan does not contain the route '${params.route}': compile the pipeline again, with its project's folder routes/.`,
    );
  const storage = openStorage(ctx.connections.storage, params.aws_conn_id ?? 'aws_default');
  try {
    const output = openDatasetOutput(ctx, storage);
    if (!output) throw userFault('InvalidParameters', 'The plan names no place to write to: compile the pipeline again.');
    const earlier = await output.begin(ctx.signal);
    // The route has run: it may have taken its files away from where they were.
    if (earlier) return { ...earlier, exchanges: (await readManifest(storage, earlier.manifest, ctx.signal)).content.exchanges ?? 0 };
    return await withTemporaryFolder('camel', async (path) => {
      const folder = new RouteFolder(path);
      const exchanges = await runOnce(ctx, params, { definition: params.definition ?? '', folder });
      const files = await upload(storage, output, folder, ctx.signal);
      checkRowCount(files.length, params.min_rows, 'What the route has written');
      const reference = await output.publish({ format: 'files', compression: 'none', schema: [], files, exchanges }, ctx.signal);
      return { ...reference, exchanges };
    });
  } finally {
    storage.client.destroy();
  }
}

/** @returns the number of completed exchanges @throws ApplicationFailure */
async function runOnce(
  ctx: RouteContext,
  { route, placeholders = {}, idle = DEFAULT_IDLE_SECONDS, min_exchanges: fewest = 1 }: RouteParams,
  { definition, folder }: { readonly definition: string; readonly folder: RouteFolder },
): Promise<number> {
  const { camel } = ctx.connections;
  const user = childUser();
  if (!user) refuseReadableSecrets();
  const secrets = secretsOf(camel);
  const hide = hiderOf(secrets);
  const scrub = (text: string): string => ctx.scrub(hide(text));
  await folder.prepare({ definition, placeholders, secrets, idle, user });

  const stopping = linkedController(ctx.signal);
  let failure: string | undefined;
  let output = '';
  const stop = (reason: string): void => {
    failure ??= reason;
    stopping.abort();
  };
  const running = runProgram([javaOf(camel), ...argumentsOf(camel, folder)], {
    environment: { ...childEnvironment(process.env, user), ...(camel.java_home && { JAVA_HOME: camel.java_home }) },
    folder: folder.temporary,
    user,
    signal: stopping.signal,
    onOutput(text) {
      output = (output + text).slice(-SEARCHED);
      const [line] = NOT_STARTED.exec(output) ?? [];
      if (line !== undefined) stop(line);
    },
  });
  let ended: ProgramEnd | undefined;
  const watch = async (): Promise<void> => {
    while (ended === undefined && failure === undefined) {
      const reason = await folder.firstFailure();
      // A route that reads a file again after a failure would never become idle.
      if (reason !== undefined) stop(reason);
      ctx.progress({ route, exchanges: await folder.completed() });
      await delay(POLL_MS);
    }
  };
  const watching = watch();
  try {
    ended = await running.catch((error: NodeJS.ErrnoException) => {
      throw userFault('ProgramNotFound', `Java cannot be started on this worker: ${error.message}.`, error);
    });
  } finally {
    ended ??= { code: null, signal: null, stdout: '', stderr: '' };
    await watching;
    stopping.abort();
  }
  ctx.signal.throwIfAborted();
  const failed = await folder.firstFailure();
  const reason =
    failed === undefined ? failure && `it could not be started: ${causeIn(output) ?? failure}` : `an exchange failed: ${failed}`;
  const end = `\n\nThe end of its log:\n${scrub(ended.stderr.trim()).slice(-SHOWN) || '(it is empty)'}`;
  if (reason !== undefined) throw platformFault('JobFailed', `Route '${route}': ${scrub(reason).slice(0, SHOWN)}${end}`);
  if (ended.code !== 0) {
    const how = ended.signal === null ? `ended with exit code ${ended.code}` : `was ended by ${ended.signal}`;
    throw platformFault('JobFailed', `Route '${route}' ${how}.${end}`);
  }
  const completed = await folder.completed();
  if (completed < fewest)
    throw platformFault(
      'JobFailed',
      `Route '${route}' has completed ${completed} exchanges within ${idle} s without any, and \`min_exchanges\` is ${fewest}. Check that its source is there; raise \`idle\` if it answers slowly.${end}`,
    );
  return completed;
}

function argumentsOf({ jars }: CamelConnection, folder: RouteFolder): string[] {
  const path = resolve(projectRoot(), jars);
  if (!existsSync(path))
    throw userFault('ProgramNotFound', `'jars' of the Camel connection is ${path}, which is not a folder that the worker can read.`);
  return [
    // A short-lived program: do not spend time on warming it up.
    '-XX:TieredStopAtLevel=1',
    '-XX:+UseSerialGC',
    `-Djava.io.tmpdir=${folder.temporary}`,
    '-cp',
    [folder.classes, join(path, '*')].join(delimiter),
    'org.apache.camel.main.Main',
  ];
}

function javaOf({ java_home: home }: CamelConnection): string {
  const file = home === undefined ? findProgram('java', process.env) : join(home, 'bin', 'java');
  if (file !== undefined) return file;
  throw userFault(
    'ProgramNotFound',
    "'java' is not on the PATH of this worker. Install Java 17 or later, or set 'java_home' in the Camel connection.",
  );
}

function secretsOf({ properties_file: file }: CamelConnection): string {
  if (file === undefined) return '';
  try {
    return readFileSync(resolve(projectRoot(), file), 'utf8');
  } catch (error) {
    throw userFault('ProgramNotFound', `'properties_file' of the Camel connection is ${file}, which the worker cannot read.`, error);
  }
}

/** The last cause of a Java exception. */
function causeIn(output: string): string | undefined {
  return [...output.matchAll(/^Caused by: (.*)$/gm)].at(-1)?.[1];
}

async function upload(storage: Storage, { uri, mark }: DatasetOutput, folder: RouteFolder, signal: AbortSignal): Promise<DatasetFile[]> {
  const { bucket, key } = parseS3Uri(uri);
  await abortAllUnder(storage, { bucket, key }, signal);
  const uploaded: DatasetFile[] = [];
  for (const name of await folder.files()) {
    signal.throwIfAborted();
    const writer = new PartWriter(storage, { bucket, key: `${key}attempt-${mark}/${name}` }, 'none');
    try {
      for await (const chunk of createReadStream(join(folder.output, name))) await writer.write(chunk as Buffer);
    } catch (error) {
      await writer.abort();
      throw error;
    }
    uploaded.push(await writer.close(1));
  }
  return uploaded;
}
