import Type, { type Static } from 'typebox';
import { anyMap, choice, condition, count, flag, map, text, textFile } from '../../lib/schema-fields.ts';
import type { JsonObject } from '../../workflows/plan/values/json.ts';
import { minRows } from '../support/dataset/min-rows.ts';
import { bucketName } from '../support/dataset/parameters.ts';

/** Names that the expressions of a record can use. */
const OF_RECORD = ['record', 'record_number'];

const columns = (description: string) =>
  Type.Optional(
    Type.Array(Type.String({ minLength: 1 }), {
      minItems: 1,
      uniqueItems: true,
      title: 'Columns',
      description,
      examples: [['sku', 'quantity']],
    }),
  );
const delimiter = Type.Optional(
  Type.String({
    pattern: '^[^"\\r\\n]$',
    form: 'one character',
    title: 'Delimiter',
    description: 'csv: between fields. Default: a comma.',
    examples: [';'],
  }),
);
const fixedColumns = Type.Array(
  map(
    'Column',
    'A column of fixed width.',
    { name: 'sku', width: 10 },
    {
      name: text('Name', 'Its name in records.', 'sku'),
      width: count('Width', 'In characters.', 10),
      type: Type.Optional(choice('Type', 'text, or number: an exact number. Default: text.', ['text', 'number'])),
      decimals: Type.Optional(
        count('Decimals', 'Digits after a decimal point that is not written: 0001250 with 2 is 12.50. Numbers only.', 2, 0),
      ),
    },
  ),
  {
    minItems: 1,
    title: 'Fixed columns',
    description: 'fixed_width: the columns of a line, from its start, without gaps.',
    examples: [[{ name: 'sku', width: 10 }]],
  },
);
const separator = (what: string, example: string) =>
  Type.Optional(Type.String({ maxLength: 1, title: what, description: `edi: ${what.toLowerCase()}.`, examples: [example] }));

const xsd = Type.Optional(
  text(
    'XSD',
    'xml: the document must be valid by this XML Schema; it is then held in memory as a whole, at most 16 million characters. Needs the npm package libxml2-wasm.',
    '<xs:schema …>',
    {
      template: 'none',
    },
  ),
);

const xsdFile = textFile(
  'XSD file',
  "A file with the XML Schema, in place of `xsd`: its path from the pipeline's file, within the folder of pipelines.",
  'schemas/orders.xsd',
  'xsd',
);

const Read = map(
  'Read',
  'The format of the source: of `s3_key`, `text`, or the files of a camel_route. A dataset of csv or jsonl describes itself.',
  { format: 'csv', delimiter: ';' },
  {
    format: choice('Format', 'json, jsonl, csv, xml, fixed_width, or edi (segments as in EDIFACT and X12).', [
      'json',
      'jsonl',
      'csv',
      'xml',
      'fixed_width',
      'edi',
    ]),
    encoding: Type.Optional(choice('Encoding', 'Of the file. Default: utf-8.', ['utf-8', 'windows-1252'])),
    records: Type.Optional(
      Type.String({
        pattern: '^/.+',
        form: 'a JSON pointer such as /orders',
        title: 'Records',
        description: 'json: where the list of records is. Default: the whole document.',
        examples: ['/orders'],
      }),
    ),
    columns: columns('csv: names of the fields. Default: the first row has them.'),
    delimiter,
    fixed_columns: Type.Optional(fixedColumns),
    starts_with: Type.Optional(
      text('Starts with', 'fixed_width: only lines that begin with this text are records; others, such as totals, are left out.', 'D', {
        template: 'none',
      }),
    ),
    record: Type.Optional(text('Record', 'xml: the name of the elements that are records.', 'order', { template: 'none' })),
    lists: Type.Optional(
      Type.Array(Type.String({ minLength: 1 }), {
        title: 'Lists',
        description: 'xml: names of elements that are lists in a record, also where there is only one.',
        examples: [['item']],
      }),
    ),
    xsd,
    xsd_file: xsdFile,
    record_segment: Type.Optional(
      Type.String({
        pattern: '^[A-Z][A-Z0-9]{1,2}$',
        form: 'a tag of 2 or 3 capital letters and digits',
        title: 'Record segment',
        description: 'edi: the segment that begins a record. Default: each message (UNH, ST) is a record.',
        examples: ['LIN'],
      }),
    ),
    separators: Type.Optional(
      map(
        'Separators',
        "edi: one character each. Default: those that the file declares (UNA, ISA), else EDIFACT's.",
        { segment: '~', element: '*' },
        {
          segment: separator('Segment', '~'),
          element: separator('Element', '*'),
          component: separator('Component', '>'),
          release: separator('Release', '?'),
        },
      ),
    ),
  },
);

const Write = map(
  'Write',
  'The format of the result. Default: jsonl.',
  { format: 'csv' },
  {
    format: choice(
      'Format',
      'jsonl or csv for tasks such as s3_to_redshift; json, xml or fixed_width for readers outside Sluice, in one file.',
      ['jsonl', 'csv', 'json', 'xml', 'fixed_width'],
    ),
    columns: columns('csv: the columns and their order. Default: the keys of `map`.'),
    delimiter,
    header: Type.Optional(
      flag('Header', 'csv: whether the first row has the names of the columns, for readers outside Sluice. Default: false.', true),
    ),
    fixed_columns: Type.Optional(fixedColumns),
    root: Type.Optional(text('Root', 'xml: the name of the outermost element. Default: records.', 'orders', { template: 'none' })),
    record: Type.Optional(text('Record', 'xml: the name of the element of a record. Default: record.', 'order', { template: 'none' })),
    xsd,
    xsd_file: xsdFile,
  },
);

/** The keys of a `transform` task. */
export const params = Type.Object({
  s3_bucket: Type.Optional(bucketName('The bucket of the file, and of the result where no later task names another.')),
  s3_key: Type.Optional(
    text(
      'Key',
      'The file to read, in place of the data of the upstream task. A name that ends with .gz is decompressed.',
      'inventory/{{ ds_nodash }}.txt',
    ),
  ),
  text: Type.Optional(
    Type.String({
      title: 'Text',
      description: 'The text to read, in place of a file, such as the output of an earlier task.',
      examples: ['{{ outputs.fetch.body }}'],
    }),
  ),
  read: Type.Optional(Read),
  filter: Type.Optional(condition('Filter', 'Records for which this is false are left out.', "record.status != 'discontinued'", OF_RECORD)),
  map: Type.Optional(
    Type.Record(Type.String(), text('Value', 'An expression over `record`.', 'record.sku', { template: 'expression', names: OF_RECORD }), {
      title: 'Map',
      description: 'The target record: names, each with an expression over `record` (without braces). Default: the record as it is.',
      examples: [{ product_id: 'record.sku', quantity: 'int(record.qty)' }],
    }),
  ),
  schema: Type.Optional(
    Type.Unsafe<JsonObject>({
      ...anyMap('Schema', 'A JSON Schema that each target record must match.', {
        required: ['product_id'],
        properties: { quantity: { type: 'integer', minimum: 0 } },
      }),
      template: 'none',
    }),
  ),
  on_invalid: Type.Optional(
    choice(
      'On invalid',
      'What happens to a record that cannot be read, mapped or written: stop (the task fails), dead_letter (write it to a file beside the result, with the reason), or skip. Default: stop.',
      ['stop', 'dead_letter', 'skip'],
    ),
  ),
  write: Type.Optional(Write),
  min_rows: minRows,
});

/** The S3 that it reads from and writes to. */
export const connections = {
  storage: { key: 'conn_id', default: 'aws_default', types: ['aws'], description: 'The S3 to read from and to write to.' },
} as const;

export type Params = Static<typeof params>;
export type ReadFormat = Static<typeof Read>;
export type WriteFormat = Static<typeof Write>;
