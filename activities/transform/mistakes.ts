import type { ParamMistake } from '../define-task.ts';
import { XML_NAME } from './formats/write-xml.ts';
import type { Params, ReadFormat, WriteFormat } from './parameters.ts';
import { schemaMistakes } from './target-schema.ts';

/** The keys that belong to one format each. */
const OWN_KEYS = {
  read: {
    json: ['records'],
    jsonl: [],
    csv: ['columns', 'delimiter'],
    xml: ['record', 'lists', 'xsd', 'xsd_file'],
    fixed_width: ['fixed_columns', 'starts_with'],
    edi: ['record_segment', 'separators'],
  },
  write: {
    jsonl: [],
    csv: ['columns', 'delimiter', 'header'],
    json: [],
    xml: ['root', 'record', 'xsd', 'xsd_file'],
    fixed_width: ['fixed_columns'],
  },
} as const satisfies {
  readonly read: Readonly<Record<ReadFormat['format'], readonly string[]>>;
  readonly write: Readonly<Record<WriteFormat['format'], readonly string[]>>;
};
/** Keys that a format cannot do without. */
const REQUIRED: Readonly<Record<'read' | 'write', Readonly<Record<string, string>>>> = {
  read: { xml: 'record', fixed_width: 'fixed_columns' },
  write: { fixed_width: 'fixed_columns' },
};

/** Combinations of keys that are valid one by one but not together. */
export function transformMistakes(params: Params): ParamMistake[] {
  const { s3_bucket: bucket, s3_key: key, text, read, write } = params;
  return [
    ...(key !== undefined && text !== undefined
      ? [{ at: ['text'], message: '`s3_key` and `text` exclude each other.', hint: 'keep one of them' }]
      : []),
    ...(key !== undefined && bucket === undefined
      ? [{ at: ['s3_key'], message: '`s3_key` needs `s3_bucket`, the bucket that the file lies in.', hint: 'add it' }]
      : []),
    ...((key !== undefined || text !== undefined) && read === undefined
      ? [{ at: [key === undefined ? 'text' : 's3_key'], message: 'The format of the source is unknown.', hint: 'add `read: {format: …}`' }]
      : []),
    ...formatMistakes('read', read),
    ...formatMistakes('write', write),
    ...csvMistakes(params),
    ...schemaMistakes(params.schema),
  ];
}

function formatMistakes(side: 'read' | 'write', given: ReadFormat | WriteFormat | undefined): ParamMistake[] {
  if (given === undefined) return [];
  const keys: Readonly<Record<string, readonly string[]>> = OWN_KEYS[side];
  const own = keys[given.format] ?? [];
  const foreign = Object.keys(given).filter((key) => !own.includes(key) && Object.values(keys).some((each) => each.includes(key)));
  const needed = REQUIRED[side][given.format];
  const names = side === 'write' ? (['root', 'record'] as const).filter((key) => isBadName((given as WriteFormat)[key])) : [];
  return [
    ...foreign.map((key) => ({ at: [side, key], message: `'${key}' is not a key of the format ${given.format}.`, hint: 'remove it' })),
    ...(needed !== undefined && !(needed in given)
      ? [{ at: [side], message: `The format ${given.format} needs \`${needed}\`.`, hint: 'add it' }]
      : []),
    ...names.map((key) => ({
      at: [side, key],
      message: `'${(given as WriteFormat)[key]}' cannot be the name of an XML element.`,
      hint: 'use letters, digits, _, - and .',
    })),
    ...(given.fixed_columns ?? []).flatMap(({ name, type = 'text', decimals }, index, all) => [
      ...(all.findIndex((each) => each.name === name) < index
        ? [{ at: [side, 'fixed_columns', index, 'name'], message: `'${name}' is there twice.`, hint: 'rename one' }]
        : []),
      ...(type === 'text' && decimals !== undefined
        ? [
            {
              at: [side, 'fixed_columns', index, 'decimals'],
              message: '`decimals` is for columns of type number.',
              hint: 'add `type: number`',
            },
          ]
        : []),
    ]),
  ];
}

const isBadName = (name: string | undefined): boolean => name !== undefined && !XML_NAME.test(name);

/** The columns of a CSV file must be known before its first record. */
function csvMistakes({ map, read, write }: Params): ParamMistake[] {
  if (write?.format !== 'csv' || write.columns !== undefined || map !== undefined || read?.columns || read?.fixed_columns) return [];
  return [{ at: ['write'], message: 'The columns of the CSV are unknown.', hint: 'add `map`, or `columns` to `write`' }];
}
