import { parseS3Uri } from '../../lib/s3.ts';
import { withinTime } from '../../lib/time-limit.ts';
import type { DatasetReference, RecordCounts } from '../../workflows/plan/datasets/dataset.ts';
import type { JsonObject } from '../../workflows/plan/values/json.ts';
import type { TaskContext } from '../define-task.ts';
import { userFault } from '../run/errors.ts';
import type { DatasetOutput } from '../support/dataset/dataset-output.ts';
import { abortAllUnder } from '../support/dataset/delete-under.ts';
import { checkRowCount } from '../support/dataset/min-rows.ts';
import { openDatasetOutput } from '../support/dataset/open-dataset-output.ts';
import { connectionName, everySecond } from '../support/dataset/parameters.ts';
import { readManifest } from '../support/dataset/read-manifest.ts';
import { openStorage, type Storage } from '../support/dataset/storage.ts';
import { openReader } from './formats/open-reader.ts';
import { openWriter } from './formats/open-writer.ts';
import { FileBroken, type SourceRecord } from './formats/source-record.ts';
import { MAX_VALIDATED_CHARACTERS, validateXml } from './formats/xsd.ts';
import { connections, type Params, type WriteFormat } from './parameters.ts';
import { recordMapper } from './record-mapper.ts';
import { openSources, type TransformSource } from './source.ts';
import { columnsOf } from './target-schema.ts';
import { TransformFiles } from './transform-files.ts';

/** How long a failed attempt may clean up after its own signal was aborted. */
const TIDY_UP_MS = 30_000;

export type TransformResult = DatasetReference & RecordCounts;

/** Runs a `transform` task: every record of the source is written, left out by the filter, or rejected. */
export async function runTransform(ctx: TaskContext<typeof connections>, params: Params): Promise<TransformResult> {
  const storage = openStorage(ctx.connections.storage, connectionName(params, connections.storage));
  try {
    const output = openDatasetOutput(ctx, storage);
    if (!output)
      throw userFault('InvalidParameters', 'The plan names no place to write to: give `outputs`, or compile the pipeline again.');
    const earlier = await output.begin(ctx.signal);
    if (earlier) {
      ctx.log.info('An earlier attempt has published the data', { manifest: earlier.manifest });
      return withCounts(storage, earlier, ctx.signal);
    }
    await abortAllUnder(storage, parseS3Uri(output.uri), ctx.signal);
    return await transform(ctx, params, storage, output);
  } finally {
    storage.client.destroy();
  }
}

async function transform(
  ctx: TaskContext<typeof connections>,
  params: Params,
  storage: Storage,
  output: DatasetOutput,
): Promise<TransformResult> {
  const sources = await openSources(ctx, params, storage);
  const write: WriteFormat = params.write ?? { format: 'jsonl' };
  const columns = write.columns ?? write.fixed_columns?.map(({ name }) => name) ?? Object.keys(params.map ?? {});
  const named = columns.length > 0 ? columns : columnsRead(sources);
  const files = new TransformFiles(storage, output, write.format);
  const counts = { rows_read: 0, rows_left_out: 0, rows_rejected: 0 };
  let rows = 0;
  let records = 0;
  let document = '';
  const progress = everySecond<JsonObject>((sums) => ctx.progress(sums));
  const onInvalid = params.on_invalid ?? 'stop';
  const writer = openWriter(write, named);
  const { map } = recordMapper(ctx, params);
  const put = async (text: string): Promise<void> => {
    if (write.xsd !== undefined) document += text;
    if (document.length > MAX_VALIDATED_CHARACTERS)
      throw userFault(
        'DataDoesNotFit',
        `The document has more than ${MAX_VALIDATED_CHARACTERS.toLocaleString('en')} characters, the limit of one that is validated. Write less, or remove \`xsd\` from \`write\`.`,
      );
    await files.write(text);
  };
  const reject = async (source: TransformSource, { reason, raw }: Extract<SourceRecord, { reason: string }>): Promise<void> => {
    counts.rows_rejected += 1;
    if (onInvalid === 'stop')
      throw userFault('DataDoesNotFit', `Record ${records} of ${source.name} is invalid: ${reason}. It begins with: ${raw.slice(0, 200)}`);
    if (onInvalid === 'dead_letter') await files.writeDeadLetter({ source: source.name, record_number: records, reason, record: raw });
  };
  let closed: Awaited<ReturnType<TransformFiles['close']>>;
  try {
    let hasStarted = false;
    let isOpen = writer.end !== '';
    if (isOpen) await put(writer.start);
    for (const source of sources) {
      const batches = openReader(source.read, (lines) => {
        counts.rows_read += lines;
        counts.rows_left_out += lines;
      })(source.text(ctx.signal));
      for await (const batch of batches) {
        ctx.signal.throwIfAborted();
        let text = '';
        for (const record of batch) {
          counts.rows_read += 1;
          records += 1;
          const target = map(record, records, (value) => writer.write(value, !hasStarted));
          if (target.kind === 'left_out') counts.rows_left_out += 1;
          else if (target.kind === 'invalid') await reject(source, target);
          else {
            if (!isOpen) text += writer.start;
            [hasStarted, isOpen] = [true, true];
            rows += 1;
            text += target.text;
          }
        }
        if (text !== '') await put(text);
        progress({ rows_read: counts.rows_read, rows, rows_rejected: counts.rows_rejected });
      }
    }
    if (isOpen) await put(writer.end);
    if (write.xsd !== undefined) await validateXml(document, write.xsd);
    checkRowCount(rows, params.min_rows, 'What was transformed');
    closed = await files.close(rows, counts.rows_rejected);
    ctx.signal.throwIfAborted();
  } catch (error) {
    await files.abort();
    if (!ctx.givenUp()) await discard(files, output, ctx.log);
    if (error instanceof FileBroken) throw userFault('DataDoesNotFit', `${sourceNames(sources)} cannot be read: ${error.message}.`, error);
    throw error;
  }
  // From here on a manifest may refer to the files, even if writing it seems to fail: they are never deleted here.
  const reference = await output.publish(
    {
      format: write.format,
      compression: files.compression,
      schema: columnsOf(named, params.schema),
      files: closed.files,
      transform: { ...counts, dead_letters: closed.deadLetters },
    },
    ctx.signal,
  );
  ctx.progress({ rows_read: counts.rows_read, rows, rows_rejected: counts.rows_rejected });
  return withCounts(storage, reference, ctx.signal);
}

/** The names of the columns of the source, if it has them before its first record. */
function columnsRead([first]: readonly TransformSource[]): readonly string[] {
  return first?.read.columns ?? first?.read.fixed_columns?.map(({ name }) => name) ?? [];
}

function sourceNames([first, ...others]: readonly TransformSource[]): string {
  return `${first?.name ?? 'The source'}${others.length > 0 ? `, or another of ${others.length + 1} files,` : ''}`;
}

/** The counts come from the manifest: an attempt whose answer was lost has written them there. */
async function withCounts(storage: Storage, reference: DatasetReference, signal: AbortSignal): Promise<TransformResult> {
  const { content } = await readManifest(storage, reference.manifest, signal);
  const counts = content.transform ?? { rows_read: content.rows, rows_left_out: 0, rows_rejected: 0, dead_letters: null };
  return { ...reference, ...counts };
}

async function discard(files: TransformFiles, { uri }: DatasetOutput, log: TaskContext['log']): Promise<void> {
  try {
    await withinTime(TIDY_UP_MS, undefined, (signal) => files.clear(signal));
  } catch (cause) {
    log.warn('Could not delete what this attempt has written; the next attempt does.', { uri, cause });
  }
}
