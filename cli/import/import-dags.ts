import { convertDag, dagNames } from './convert-dag.ts';
import { adaptNames } from './names.ts';
import { type ImportFile, readDags } from './read-dags.ts';
import type { Report } from './report.ts';
import { ImportError, type Place } from './source-value.ts';
import { settleTasks } from './settle-tasks.ts';
import { writePipeline } from './write-pipeline.ts';

/** An imported DAG. */
export interface Imported {
  readonly dagId: string;
  readonly place: Place;
  readonly yaml: string;
  readonly report: Report;
}

/**
 * Imports the DAGs of several files together, so that references between them resolve. Pure: does not read or write files.
 * @param files their content, or why they could not be read
 * @returns for each DAG its pipeline, or why it could not be imported, in the order of the files
 */
export function importDags(files: readonly (ImportFile | ImportError)[]): (Imported | ImportError)[] {
  const dags = readDags(files);
  const ids = dags.flatMap((dag) => (dag instanceof ImportError ? [] : [dag.id]));
  const dagName = dagNames(adaptNames(ids, 'dag'));
  const seen = new Set<string>();
  return dags.map((dag) => {
    if (dag instanceof ImportError) return dag;
    if (seen.has(dag.id)) return new ImportError(`Another DAG of these files is called '${dag.id}'. Import one of them.`, dag.place);
    seen.add(dag.id);
    try {
      const { pipeline, report } = convertDag(dag, dagName);
      return { dagId: dagName(dag.id), place: dag.place, yaml: writePipeline(settleTasks(pipeline, report, dag.place)), report };
    } catch (error) {
      if (error instanceof ImportError) return error;
      throw error;
    }
  });
}
