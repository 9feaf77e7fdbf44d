import { type DatasetManifest, DOCUMENT_FORMATS, type TableFormat } from '../../../workflows/plan/datasets/dataset.ts';
import { userFault } from '../../run/errors.ts';

/** The format of a dataset that is loaded as a table. @throws ApplicationFailure `DataDoesNotFit` for a document */
export function tableFormat({ format }: Pick<DatasetManifest, 'format'>): TableFormat {
  if (!isDocument(format)) return format;
  throw userFault(
    'DataDoesNotFit',
    format === 'files'
      ? 'The data of the task before is files, not a table. Let a transform task read them.'
      : `The data of the task before is a ${format} document for readers outside Sluice, not a table. Let that task write jsonl or csv.`,
  );
}

function isDocument(format: DatasetManifest['format']): format is (typeof DOCUMENT_FORMATS)[number] {
  return (DOCUMENT_FORMATS as readonly string[]).includes(format);
}
