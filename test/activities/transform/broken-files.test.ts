import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { openReader } from '../../../activities/transform/formats/open-reader.ts';
import { FileBroken } from '../../../activities/transform/formats/source-record.ts';
import type { ReadFormat } from '../../../activities/transform/parameters.ts';
import type { Json, JsonObject } from '../../../workflows/plan/values/json.ts';
import { cpuTimer } from '../../support/cpu-time.ts';

/** The records of a text that comes in chunks of so many characters. */
async function recordsOf(read: ReadFormat, text: string, size = text.length || 1): Promise<readonly Json[]> {
  async function* chunks(): AsyncGenerator<string> {
    await Promise.resolve();
    for (let at = 0; at < text.length; at += size) yield text.slice(at, at + size);
  }
  const found: Json[] = [];
  for await (const batch of openReader(read, () => undefined)(chunks()))
    for (const each of batch) found.push('value' in each ? each.value : `${each.reason}: ${each.raw}`);
  return found;
}

const broken = (read: ReadFormat, text: string, message: RegExp): Promise<void> =>
  assert.rejects(recordsOf(read, text), (error) => error instanceof FileBroken && message.test(error.message));

describe('files that transform could read as fewer records than they have', () => {
  const LINES: readonly (readonly [ReadFormat, string, readonly Json[]])[] = [
    [{ format: 'jsonl' }, '{"a":1}\n\n{"a":2}\n', [{ a: 1 }, { a: 2 }]],
    [
      { format: 'csv' },
      'a,b\n1,\n\n"x,""",""\n',
      [
        { a: '1', b: null },
        { a: 'x,"', b: '' },
      ],
    ],
    [{ format: 'csv', delimiter: '|' }, 'a\nx\n', [{ a: 'x' }]],
    [{ format: 'csv', delimiter: ']' }, 'a]b\n1]2\n', [{ a: '1', b: '2' }]],
    [{ format: 'csv' }, 'a,b\n"x"y,2\n3,4\n', ['a field has text after its closing quote: "x"y,2', { a: '3', b: '4' }]],
    [
      {
        format: 'fixed_width',
        starts_with: 'D',
        fixed_columns: [
          { name: 'kind', width: 1 },
          { name: 'sku', width: 2 },
        ],
      },
      'H 3\nDA1\nDA2\nT 2\n',
      [
        { kind: 'D', sku: 'A1' },
        { kind: 'D', sku: 'A2' },
      ],
    ],
  ];
  for (const [read, text, records] of LINES)
    for (const [name, end] of [
      ['LF', '\n'],
      ['CR LF', '\r\n'],
      ['CR', '\r'],
    ] as const)
      it(`${JSON.stringify(read).slice(0, 40)}: lines that end with ${name}, also without the last one, however the file is cut`, async () => {
        const whole = text.replaceAll('\n', end);
        for (const given of [whole, whole.slice(0, -end.length)])
          for (const size of [1, 2, 3, 7, 1_000]) assert.deepEqual(await recordsOf(read, given, size), records);
      });

  it('csv: a long file with one column is read in time that grows with its size', async () => {
    const rows = 60_000;
    const elapsed = cpuTimer();
    assert.equal((await recordsOf({ format: 'csv' }, `a\n${'1234567890\n'.repeat(rows)}`)).length, rows);
    assert.ok(elapsed() < 5_000);
  });

  it('xml: elements whose name only differs in prefix or case are a mistake; a document without any is empty', async () => {
    const read: ReadFormat = { format: 'xml', record: 'order' };
    await broken(read, '<o:orders xmlns:o="x"><o:order/></o:orders>', /it has no element <order>, but <o:order>: name that in `record`/);
    await broken(read, '<Orders><Order/></Orders>', /but <Order>/);
    await broken({ format: 'xml', record: 'o:order' }, '<orders><order/></orders>', /but <order>/);
    assert.deepEqual(await recordsOf(read, '<orders count="0"/>'), []);
    assert.deepEqual(await recordsOf(read, '<Order><order>1</order></Order>'), ['1']);
  });

  it('xml and edi: what is not a record is not held in memory without limit', async () => {
    const filling = 'x'.repeat(3_000_000);
    for (const text of [`<o><!-- ${filling}`, `<o>${filling}`, `<o a="${filling}`, `<o><![CDATA[${filling}`])
      await assert.rejects(recordsOf({ format: 'xml', record: 'order' }, text, 65_536), /has more than 1,048,576 characters/);
    await broken({ format: 'edi' }, ' '.repeat(100_000), /it has no message/);
  });

  it('edi: a message without its end, before another one, fails the file', async () => {
    const message = /it is cut short: UNH comes before the end of a message/;
    await broken({ format: 'edi' }, "UNH+1+ORDERS'LIN+1'UNH+2+ORDERS'LIN+1'UNT+3+2'", message);
    await broken({ format: 'edi', record_segment: 'LIN' }, "UNH+1+ORDERS'LIN+1'UNH+2+ORDERS'LIN+1'UNT+3+2'", message);
    await broken({ format: 'edi' }, "UNB+UNOC:3+A+B'UNH+1+ORDERS'LIN+1'UNZ+1+1'", /UNZ comes before the end of a message/);
  });

  it('edi: an interchange or group without one of its messages fails the file, and one without its start', async () => {
    await broken(
      { format: 'edi' },
      "UNB+UNOC:3+A+B'UNH+1+ORDERS'UNT+2+1'UNZ+2+1'",
      /UNZ declares 2 messages or groups, and there are 1: a part is missing or was added/,
    );
    await broken({ format: 'edi' }, "GS*PO'ST*850*1'SE*2*1'GE*2*1'".replaceAll('*', '+'), /GE declares 2 messages or groups/);
    await broken({ format: 'edi' }, "UNH+1+ORDERS'UNT+2+1'UNZ+1+1'", /the start of what UNZ ends is missing/);
    await broken({ format: 'edi' }, "UNB+UNOC:3+A+B'UNH+1+ORDERS'UNT+2+1'", /it is cut short: UNZ is missing/);
  });

  it('edi: a file without the segment of its records fails', async () => {
    await broken({ format: 'edi', record_segment: 'LNI' }, "UNH+1+ORDERS'LIN+1'UNT+3+1'", /it has no segment LNI: check `record_segment`/);
    await broken({ format: 'edi', record_segment: 'LIN' }, '', /it has no segment LIN/);
  });

  it('edi: the header of a message is that of the interchange and group around it', async () => {
    const text =
      "UNB+UNOC:3+ANN'UNG+ORDERS+A1'UNH+1'LIN+1'UNT+3+1'UNE+1+1'UNG+ORDERS+A2'UNH+2'LIN+1'LIN+2'UNT+4+2'UNE+1+2'UNZ+2+1'" +
      "UNB+UNOC:3+BOB'UNH+3'LIN+1'UNT+3+3'UNZ+1+2'";
    for (const [read, ofSecond] of [
      [{ format: 'edi' }, 1],
      [{ format: 'edi', record_segment: 'LIN' }, 2],
    ] as const) {
      const found = (await recordsOf(read, text)).map((record) => {
        const { UNB, UNG = [] } = (record as { header: Record<string, string[][][]> }).header;
        return [UNB, UNG].map((segments = []) => segments.map((segment) => segment[2]?.[0]).join()).join(' ');
      });
      assert.deepEqual(found, ['ANN A1', ...Array<string>(ofSecond).fill('ANN A2'), 'BOB ']);
    }
  });

  it('edi: segments without messages are records, with what is before the first one', async () => {
    const found = await recordsOf({ format: 'edi', record_segment: 'LIN' }, "UNB+UNOC:3+A'HDR+x'LIN+1'QTY+5'LIN+2'UNZ+1+1'");
    assert.deepEqual(
      found.map((record) => Object.entries(record as JsonObject).map(([tag, value]) => [tag, Object.keys(value as JsonObject).join()])),
      [
        [
          ['header', 'UNB,HDR'],
          ['LIN', '0'],
          ['QTY', '0'],
        ],
        [
          ['header', 'UNB,HDR'],
          ['LIN', '0'],
        ],
      ],
    );
  });
});
