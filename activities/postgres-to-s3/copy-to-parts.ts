import { CopyOut } from '../../lib/databases/copy-out.ts';
import type { SqlClient } from '../../lib/databases/postgres.ts';
import type { DatasetFile, DatasetManifest } from '../../workflows/plan/datasets/dataset.ts';
import { RowScanner } from '../support/dataset/row-scanner.ts';
import { platformFault } from '../run/errors.ts';
import type { OwnFiles } from './own-files.ts';
import { PartWriter } from '../support/dataset/part-writer.ts';

export interface CopyToParts {
  readonly client: SqlClient;
  /** A complete `COPY … TO STDOUT` statement. */
  readonly statement: string;
  readonly output: OwnFiles;
  readonly format: 'csv' | 'jsonl';
  readonly compression: DatasetManifest['compression'];
  readonly maxRowsPerFile: number;
  progress(sums: { readonly rows: number; readonly bytes: number; readonly files: number }): void;
}

/**
 * Streams the rows of a COPY into files of at most `maxRowsPerFile` rows; no rows, no files. It counts the rows in the written bytes and
 * compares the count with the server's: both come from the same statement, and so from the same snapshot.
 * On failure it aborts open uploads; the caller deletes completed files.
 */
export async function copyToParts(copy: CopyToParts): Promise<DatasetFile[]> {
  const { output, format, compression, maxRowsPerFile } = copy;
  const { storage, prefix } = output;
  const extension = `${format}${compression === 'gzip' ? '.gz' : ''}`;
  const files: DatasetFile[] = [];
  const sums = { rows: 0, bytes: 0 };
  let part: { readonly writer: PartWriter; readonly scanner: RowScanner } | undefined;
  const closePart = async (): Promise<void> => {
    if (!part) return;
    const file = await part.writer.close(part.scanner.rows);
    files.push(file);
    sums.rows += file.rows;
    sums.bytes += file.meta.content_length;
    part = undefined;
  };
  const source = copy.client.query(new CopyOut(copy.statement));
  try {
    for await (const piece of source.pieces()) {
      for (let from = 0; from < piece.length;) {
        part ??= {
          writer: new PartWriter(storage, { ...prefix, key: prefix.key + output.nameOf(files.length, extension) }, compression),
          scanner: new RowScanner(format),
        };
        const end = part.scanner.scan(piece, from, maxRowsPerFile - part.scanner.rows + (part.scanner.betweenRows ? 0 : 1));
        await part.writer.write(piece.subarray(from, end));
        from = end;
        if (part.scanner.betweenRows && part.scanner.rows >= maxRowsPerFile) await closePart();
      }
      copy.progress({
        rows: sums.rows + (part?.scanner.rows ?? 0),
        bytes: sums.bytes + (part?.writer.bytes ?? 0),
        files: files.length,
      });
    }
    await closePart();
  } catch (error) {
    await part?.writer.abort();
    throw error;
  }
  if (source.rowCount !== sums.rows) {
    throw platformFault(
      'DatasetChanged',
      `PostgreSQL sent ${source.rowCount} rows, and ${sums.rows} were found in what was written. Nothing is published.`,
    );
  }
  copy.progress({ ...sums, files: files.length });
  return files;
}
