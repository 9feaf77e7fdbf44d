import { isDagFactory, readDagFactory } from './read-dag-factory.ts';
import { isDagDetails, isTaskCollection, readRestExport } from './read-rest-export.ts';
import { isSerializedDag, readSerializedDag } from './read-serialized-dag.ts';
import type { SourceDag } from './source-dag.ts';
import { ImportError, readSource, type SourceValue } from './source-value.ts';

/** A file to import. */
export interface ImportFile {
  readonly file: string;
  readonly text: string;
}

/** The accepted formats, for messages. */
const ACCEPTED =
  'Pass YAML of dag-factory, or JSON of an Airflow DAG: of its REST API (`/dags/<id>/details` and `/dags/<id>/tasks`) or of its table serialized_dag.';

/**
 * Reads the DAGs of `files`. An unreadable file or DAG does not hide others: its error takes its place among the results. DAG details
 * without tasks take the tasks from the next file.
 */
export function readDags(files: readonly (ImportFile | ImportError)[]): (SourceDag | ImportError)[] {
  const read: (SourceDag | ImportError)[] = [];
  let details: SourceValue | undefined;
  const noTasks = (value: SourceValue): ImportError =>
    new ImportError(
      'These are the details of a DAG without its tasks. Pass the answer of `/dags/<id>/tasks` as the next file.',
      value.place,
    );
  for (const each of files) {
    const values = each instanceof ImportError ? each : attempt(() => open(each));
    if (values instanceof ImportError) read.push(values);
    for (const value of values instanceof ImportError ? [] : values) {
      if (details && !isDagDetails(value) && isTaskCollection(value)) {
        const known = details;
        read.push(attempt(() => readRestExport(known, value)));
        details = undefined;
        continue;
      }
      if (details) read.push(noTasks(details));
      details = isDagDetails(value) && !isTaskCollection(value) ? value : undefined;
      if (!details) read.push(...[attempt(() => readValue(value))].flat());
    }
  }
  if (details) read.push(noTasks(details));
  return read;
}

function attempt<T>(act: () => T): T | ImportError {
  try {
    return act();
  } catch (error) {
    if (error instanceof ImportError) return error;
    throw error;
  }
}

/** The values in a file: one, or a list. A row of `serialized_dag` contains the DAG as `data`. */
function open({ file, text }: ImportFile): readonly SourceValue[] {
  const value = attempt(() => readSource(file, text));
  if (/\.py$/i.test(file) || (value instanceof ImportError && /^(?:from|import) airflow\b/m.test(text))) {
    throw new ImportError(`This is a Python file, which Sluice neither runs nor reads. ${ACCEPTED}`, { file, line: 1, column: 1 });
  }
  if (value instanceof ImportError) throw value;
  return (value.items ?? [value]).map((each) => {
    const data = each.fields?.get('data');
    return data && isSerializedDag(data) ? data : each;
  });
}

function readValue(value: SourceValue): SourceDag | readonly (SourceDag | ImportError)[] {
  if (isSerializedDag(value)) return readSerializedDag(value);
  if (isDagDetails(value)) return readRestExport(value, value);
  if (isTaskCollection(value)) {
    throw new ImportError('These are tasks without their DAG. Pass the answer of `/dags/<id>/details` as the previous file.', value.place);
  }
  if (isDagFactory(value)) return readDagFactory(value);
  if (value.fields?.has('default_args')) {
    throw new ImportError(
      "These are defaults without a DAG. Copy them under 'default:' of the file whose DAGs need them, and import that.",
      value.place,
    );
  }
  throw new ImportError(`This file contains no DAG. ${ACCEPTED}`, value.place);
}
