import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { csvHeader } from '../../../activities/transform/formats/csv.ts';
import { openReader } from '../../../activities/transform/formats/open-reader.ts';
import { openWriter } from '../../../activities/transform/formats/open-writer.ts';
import { RecordRefused, type SourceRecord } from '../../../activities/transform/formats/source-record.ts';
import type { ReadFormat, WriteFormat } from '../../../activities/transform/parameters.ts';
import { numberOf } from '../../../workflows/plan/values/exact-json.ts';
import type { Json, JsonObject } from '../../../workflows/plan/values/json.ts';

const RUNS = { numRuns: process.env.SLUICE_CHAOS === 'full' ? 5_000 : 150 };
const NAMES = ['id', 'name', 'note'];

/** Cuts a text at random places, as files come in chunks. */
const cuts = fc.array(fc.nat(), { maxLength: 6 });
async function* cut(text: string, places: readonly number[]): AsyncGenerator<string> {
  const at = [...new Set(places.map((place) => (text.length === 0 ? 0 : place % text.length)))].sort((a, b) => a - b);
  await Promise.resolve();
  for (const [index, end] of [...at, text.length].entries()) yield text.slice(index === 0 ? 0 : at[index - 1], end);
}

async function readAll(read: ReadFormat, text: string, places: readonly number[] = []): Promise<SourceRecord[]> {
  const found: SourceRecord[] = [];
  for await (const batch of openReader(read, () => undefined)(cut(text, places))) found.push(...batch);
  return found;
}

/** Writes the records that the format can hold. @returns those, and the text */
function writeAll(write: WriteFormat, records: readonly JsonObject[]): { readonly held: JsonObject[]; readonly text: string } {
  const writer = openWriter(write, write.columns ?? []);
  const held: JsonObject[] = [];
  let text = writer.start;
  for (const record of records) {
    try {
      text += writer.write(record, held.length === 0);
      held.push(record);
    } catch (error) {
      if (!(error instanceof RecordRefused)) throw error;
    }
  }
  return { held, text: text + writer.end };
}

/** Any text, with those that formats trip over. */
const anyText = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 12 }),
  fc.string({
    unit: fc.constantFrom('"', ',', ';', '\n', '\r', '\t', ' ', "'", '<', '&', ']]>', '\\', 'é', '😀', '\0', '\u0007', 'a', '0'),
    maxLength: 12,
  }),
);
const digits = fc.string({ unit: fc.constantFrom(...'0123456789'), minLength: 1, maxLength: 25 });
const anyNumber = fc
  .tuple(fc.boolean(), digits, fc.option(digits))
  .map(
    ([isNegative, whole, fraction]) =>
      numberOf(`${isNegative ? '-' : ''}${whole.replace(/^0+(?=\d)/, '')}${fraction === null ? '' : `.${fraction}`}`) as Json,
  )
  // JSON has a negative zero, which nothing distinguishes from zero.
  .filter((value) => !Object.is(value, -0));
const recordOf = (value: fc.Arbitrary<Json>): fc.Arbitrary<JsonObject> => fc.record({ id: value, name: value, note: value });

const anyJson: fc.Arbitrary<Json> = fc.letrec<{ value: Json }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 2 },
    fc.constantFrom<Json>(null, true, false),
    anyText,
    anyNumber,
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(
      fc.string({ maxLength: 5 }).filter((name) => name !== '$number' && name !== '__proto__'),
      tie('value'),
      { maxKeys: 3 },
    ),
  ),
})).value;

const FIXED = [
  { name: 'id', width: 8 },
  { name: 'name', width: 30, type: 'number' },
  { name: 'note', width: 12, type: 'number', decimals: 3 },
] as const;

const FORMATS: readonly {
  readonly read: ReadFormat;
  readonly write: WriteFormat;
  readonly records: fc.Arbitrary<JsonObject>;
}[] = [
  { read: { format: 'jsonl' }, write: { format: 'jsonl' }, records: recordOf(anyJson) },
  { read: { format: 'json' }, write: { format: 'json' }, records: recordOf(anyJson) },
  {
    read: { format: 'csv', columns: NAMES },
    write: { format: 'csv', columns: NAMES },
    records: recordOf(fc.oneof(anyText, fc.constant(null))),
  },
  {
    read: { format: 'csv', delimiter: ';' },
    write: { format: 'csv', columns: NAMES, delimiter: ';', header: true },
    records: recordOf(fc.oneof(anyText, fc.constant(null))),
  },
  {
    read: { format: 'csv', columns: ['id'] },
    write: { format: 'csv', columns: ['id'] },
    records: fc.record({ id: fc.oneof(anyText, fc.constant(null)) }),
  },
  { read: { format: 'xml', record: 'record' }, write: { format: 'xml' }, records: recordOf(fc.oneof(anyText, fc.constant(null))) },
  {
    read: { format: 'xml', record: 'r', lists: ['note'] },
    write: { format: 'xml', record: 'r', root: 'rs' },
    records: fc.record({
      '@id': anyText,
      name: fc.record({ '@x': anyText, y: anyText }),
      note: fc.array(anyText, { minLength: 1, maxLength: 3 }),
    }),
  },
  {
    read: { format: 'fixed_width', fixed_columns: [...FIXED] },
    write: { format: 'fixed_width', fixed_columns: [...FIXED] },
    records: fc.record({
      id: fc.oneof(
        anyText.filter((each) => each.trim() !== ''),
        fc.constant(null),
      ),
      name: anyNumber,
      note: anyNumber,
    }),
  },
];

describe('the formats of transform', () => {
  for (const { read, write, records } of FORMATS) {
    it(`${write.format} ${JSON.stringify(read).slice(0, 60)}: what is written is read unchanged, however the file is cut; what cannot be held is refused`, async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(records, { maxLength: 6 }), cuts, async (given, places) => {
          const { held, text } = writeAll(write, given);
          const found = await readAll(read, text, places);
          assert.deepEqual(
            found.map((each) => ('value' in each ? numbersByValue(each.value) : each)),
            held.map(numbersByValue),
          );
        }),
        RUNS,
      );
    });
  }

  it('edi: segments, elements and components are read unchanged, with the separators that the file declares', async () => {
    const part = fc.string({ unit: fc.constantFrom(..."AB12 +:?'*~>é", '\n'), maxLength: 6 });
    const segment = fc.array(fc.array(part, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(fc.array(segment, { minLength: 1, maxLength: 5 }), cuts, fc.boolean(), async (lines, places, declares) => {
        const [s, e, c, r] = declares ? ['~', '*', '>', '!'] : ["'", '+', ':', '?'];
        const escape = (text: string): string => Array.from(text, (each) => ([s, e, c, r].includes(each) ? `${r}${each}` : each)).join('');
        const print = (elements: readonly (readonly string[])[]): string => elements.map((each) => each.map(escape).join(c)).join(e) + s;
        const body = lines.map((elements) => print([['LIN'], ...elements]));
        const text = [
          declares ? `UNA${c}${e}.${r} ${s}` : '',
          print([['UNH'], ['1']]),
          ...body,
          print([['UNT'], [String(lines.length + 2)], ['1']]),
        ].join('\n');
        const found = await readAll({ format: 'edi', record_segment: 'LIN' }, text, places);
        assert.deepEqual(
          found.map((each) => ('value' in each ? (each.value as JsonObject).LIN : each)),
          lines.map((elements) => [[['LIN'], ...elements]]),
        );
      }),
      RUNS,
    );
  });

  it('csv: a header with odd names is read back', async () => {
    const columns = ['a,b', 'c"d', ' e '];
    assert.deepEqual(await readAll({ format: 'csv' }, `${csvHeader(columns)}1,"2",\n`), [
      { value: { 'a,b': '1', 'c"d': '2', ' e ': null } },
    ]);
  });
});

/** Equal numbers, however they are written: 1.50 and 1.5. */
function numbersByValue(value: Json): unknown {
  return JSON.parse(
    JSON.stringify(value, (_, each: unknown) =>
      isText(each) ? { number: each.$number.replace(/(\.\d*?)0+$/, '$1').replace(/\.$/, '') } : each,
    ),
  );
}

function isText(value: unknown): value is { $number: string } {
  return typeof value === 'object' && value !== null && '$number' in value;
}
