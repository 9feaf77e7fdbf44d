import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, it } from 'mocha';
import { transform } from '../../../activities/transform.ts';
import type { JsonObject } from '../../../workflows/plan/values/json.ts';
import type { RunResult } from '../../../workflows/plan/runs/run.ts';
import { eventually } from '../../support/eventually.ts';
import { startProcess } from '../../support/processes.ts';
import { runTask, type TaskRun } from '../../support/run-task.ts';
import { S3Proxy } from '../../support/s3-proxy.ts';
import { type BucketRuns, createBucketRuns } from '../../support/yaml-runs.ts';

const FIXED =
  '{format: fixed_width, encoding: windows-1252, starts_with: D, fixed_columns: [{name: kind, width: 1}, {name: sku, width: 6}, {name: title, width: 8}, {name: price, width: 7, type: number, decimals: 2}, {name: stock, width: 5, type: number}]}';
const XSD = `<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:element name="orders"><xs:complexType><xs:sequence>
  <xs:element name="order" maxOccurs="unbounded"><xs:complexType><xs:sequence><xs:element name="id" type="xs:int"/></xs:sequence></xs:complexType></xs:element>
</xs:sequence></xs:complexType></xs:element></xs:schema>`;

describe('transform, from YAML to S3 and the warehouse', function () {
  this.timeout('1m');
  let runs: BucketRuns['runs'];
  let bucket: BucketRuns['bucket'];
  let close: () => Promise<void>;

  before(async function () {
    this.timeout('15m');
    ({ runs, bucket, close } = await createBucketRuns());
  });
  after(() => close());

  const runOf = (tasks: string): Promise<RunResult> => runs.run(`dag_id: transforms\ndefault_args: {retries: 0}\ntasks:\n${tasks}`);
  const task = (keys: string): string => `  - {name: t, type: transform, s3_bucket: ${bucket.name}, ${keys}}\n`;
  async function outputOf(tasks: string): Promise<JsonObject> {
    const { state, tasks: ended } = await runOf(tasks);
    assert.equal(state, 'success');
    return ended.t?.output as JsonObject;
  }
  const textAt = (uri: unknown): Promise<string> => bucket.text(String(uri).slice(`s3://${bucket.name}/`.length));
  /** The text of the one file of a dataset. */
  async function textOf({ manifest }: JsonObject): Promise<string> {
    const { entries } = JSON.parse(await textAt(manifest)) as { entries: { url: string }[] };
    assert.equal(entries.length, 1);
    return textAt(entries[0]?.url);
  }
  const failure = async (tasks: string): Promise<string> => (await runOf(tasks)).tasks.t?.error ?? 'It did not fail.';

  it('a file of fixed width is a table of the warehouse, exactly; what is left out and rejected is counted and kept', async () => {
    const line = (sku: string, title: string, price: string, stock: string): string =>
      `D${sku.padEnd(6)}${title.padEnd(8)}${price}${stock}`;
    const lines = [
      'HINVENTORY',
      line('A1', 'Käse', '0001250', '00007'),
      line('A2', 'Öl', '-000001', '00000'),
      line('A3', 'odd', '00x0001', '00001'),
      'T00003',
    ];
    await bucket.put('in/inventory.txt', Buffer.from(`${lines.join('\r\n')}\r\n`, 'latin1'));
    await runs.warehouse.rows('CREATE TABLE stock (sku text, title text, price numeric, stock int, day date)');
    const output = await outputOf(
      `  - name: t\n    type: transform\n    s3_bucket: ${bucket.name}\n    s3_key: in/inventory.txt\n    read: ${FIXED}\n` +
        '    map: {sku: record.sku, title: record.title, price: record.price, stock: record.stock, day: ds}\n' +
        '    schema: {required: [sku], properties: {stock: {type: integer, minimum: 0}}}\n    on_invalid: dead_letter\n    write: {format: csv}\n' +
        `  - {name: load, type: s3_to_redshift, s3_bucket: ${bucket.name}, redshift_table: stock}\n`,
    );
    assert.deepEqual([output.rows_read, output.rows, output.rows_left_out, output.rows_rejected], [5, 2, 2, 1]);
    assert.deepEqual(await runs.warehouse.rows('SELECT sku, title, price::text, stock, day::text FROM stock ORDER BY sku'), [
      { sku: 'A1', title: 'Käse', price: '12.5', stock: 7, day: '2026-11-26' },
      { sku: 'A2', title: 'Öl', price: '-0.01', stock: 0, day: '2026-11-26' },
    ]);
    const letter = JSON.parse(await textAt(output.dead_letters)) as JsonObject;
    assert.deepEqual(
      [letter.record_number, letter.reason, String(letter.record).slice(0, 3)],
      [3, "'price' is '00x0001', which is not a number", 'DA3'],
    );
  });

  it('numbers keep their digits from JSON to a document of XML, and from a dataset', async () => {
    await bucket.put(
      'in/orders.json',
      '{"orders": [{"id": 9007199254740993, "total": 0.10000000000000000001}, {"id": 2, "total": 1e400}]}',
    );
    const read = 's3_key: in/orders.json, read: {format: json, records: /orders}, map: {id: record.id, total: record.total}';
    const xml =
      '<record><id>9007199254740993</id><total>0.10000000000000000001</total></record>\n<record><id>2</id><total>1e400</total></record>';
    assert.ok((await textOf(await outputOf(task(`${read}, write: {format: xml}`)))).includes(xml));
    const twice = `  - {name: first, type: transform, s3_bucket: ${bucket.name}, ${read}}\n${task('write: {format: xml}')}`;
    assert.ok((await textOf(await outputOf(twice))).includes(xml));
  });

  it('an EDI message: its lines are records, with its header', async () => {
    const lines = "LIN+1++4711:EN'QTY+21:5'LIN+2++A?+B:SA'QTY+21:6'UNS+S'";
    await bucket.put(
      'in/orders.edi',
      `UNA:+.? 'UNB+UNOC:3+SHOP+US+260101:1200+1'\nUNH+1+ORDERS:D:96A:UN'\nBGM+220+B10'\n${lines}\nUNT+8+1'UNZ+1+1'`,
    );
    const map = "order: 'record.header.BGM[0][2][0]', item: 'record.LIN[0][3][0]', quantity: 'int(record.QTY[0][1][1])'";
    const output = await outputOf(task(`s3_key: in/orders.edi, read: {format: edi, record_segment: LIN}, map: {${map}}`));
    assert.equal(await textOf(output), '{"order":"B10","item":"4711","quantity":5}\n{"order":"B10","item":"A+B","quantity":6}\n');
    await bucket.put('in/cut.edi', "UNH+1+ORDERS'LIN+1'UNT+4+1'");
    assert.match(await failure(task('s3_key: in/cut.edi, read: {format: edi}')), /declares 4 segments in UNT, and has 3/);
  });

  it('a text of an earlier task is read; without on_invalid, the first invalid record fails the task, and nothing is written', async () => {
    const output = await outputOf(task(`text: "{\\"a\\": 1}", read: {format: jsonl}, filter: record.a > 0`));
    assert.equal(await textOf(output), '{"a":1}\n');
    const before = await bucket.keys('transforms/');
    const odd = task('text: "a,b\\n1,2\\n3\\n", read: {format: csv}');
    assert.match(await failure(odd), /Record 2 of the text is invalid: the row has 1 fields, and there are 2 columns\. It begins with: 3/);
    const wrong = task('text: "a\\nx\\n", read: {format: csv}, map: {n: int(record.a)}');
    assert.match(await failure(wrong), /Record 1 of the text is invalid: `int\(record\.a\)`/);
    assert.deepEqual(await bucket.keys('transforms/'), before);
    assert.equal(await bucket.uploads(), 0);
  });

  it('XML reads no other file and expands nothing', async () => {
    const xxe = '<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]><r><order>&x;</order></r>';
    const laughs = '<!DOCTYPE r [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]><r><order>&b;</order></r>';
    const undeclared = '<r><order>&x;</order></r>';
    const deep = `${'<a>'.repeat(101)}`;
    for (const [name, body, message] of [
      ['xxe', xxe, /it has a DOCTYPE/],
      ['laughs', laughs, /it has a DOCTYPE/],
      ['undeclared', undeclared, /not well-formed XML: .*undefined entity/],
      ['deep', deep, /more than 100 levels deep/],
      ['twice', '<r><order a="1" a="2"/></r>', /not well-formed XML: .*duplicate attribute: a/],
      ['cut', '<r><order><id>1</id></order>', /not well-formed XML: .*unclosed tag: r/],
    ] as const) {
      await bucket.put(`in/${name}.xml`, body);
      assert.match(await failure(task(`s3_key: in/${name}.xml, read: {format: xml, record: order}`)), message);
    }
    await bucket.put('in/schema.xml', '<orders><order><id>x</id></order></orders>');
    const read = (key: string): string =>
      `  - name: t\n    type: transform\n    s3_bucket: ${bucket.name}\n    s3_key: ${key}\n    read:\n      format: xml\n      record: order\n      xsd: ${JSON.stringify(XSD)}\n`;
    assert.match(
      await failure(read('in/schema.xml')),
      /not valid by its XML Schema: .*'x' is not a valid value of the atomic type 'xs:int'/,
    );
    assert.match(await failure(read('in/laughs.xml')), /DOCTYPE/);
    await bucket.put('in/good.xml', '<?xml version="1.0"?><orders><order><id>1</id></order></orders>');
    assert.equal(await textOf(await outputOf(read('in/good.xml'))), '{"id":"1"}\n');
  });

  it('a header for readers outside is not read as a record', async () => {
    const first = `  - {name: first, type: transform, s3_bucket: ${bucket.name}, text: "a\\n1\\n", read: {format: csv}, write: {format: csv, columns: [a], header: true}}\n`;
    assert.match(
      await failure(`${first}${task('map: {a: record.a}')}`),
      /has 2 rows, and its manifest says 1: its first row may be a header/,
    );
  });

  it('a document is not loaded as a table', async () => {
    const tasks = `${task('text: "{}", read: {format: jsonl}, write: {format: xml}')}  - {name: load, type: s3_to_redshift, s3_bucket: ${bucket.name}, redshift_table: stock}\n`;
    assert.match((await runOf(tasks)).tasks.load?.error ?? '', /is a xml document for readers outside Sluice, not a table/);
  });

  it('the step after the manifest fails: the next attempt publishes the same data, which is still there', async () => {
    const proxy = await S3Proxy.start(bucket.connection);
    const attempt: TaskRun = {
      params: { s3_bucket: bucket.name, text: 'a\n1\n', read: { format: 'csv' }, map: { a: 'int(record.a)' } },
      output: `s3://${bucket.name}/pointer/`,
      environment: { SLUICE_CONN_AWS_DEFAULT: JSON.stringify({ ...bucket.connection, endpoint_url: proxy.url }) },
    };
    proxy.refuses = (request) => request.method === 'PUT' && /^(?!.*\/run-).*manifest\.json/.test(request.url ?? '');
    await assert.rejects(runTask(transform, attempt));
    proxy.refuses = () => false;
    assert.equal(await textOf(await runTask<JsonObject>(transform, { ...attempt, attempt: 2 })), '{"a":1}\n');
    proxy.close();
  });

  it('a worker is killed in the middle: the next attempt writes everything once, and nothing of the first is left', async () => {
    const ROWS = 150_000;
    // Random, so that compression leaves more than the first part of an upload.
    const lines = Array.from({ length: ROWS }, (_, index) => `${index},${randomBytes(60).toString('hex')}\n`);
    await bucket.put('in/large.csv', `id,noise\n${lines.join('')}`);
    const attempt: TaskRun = {
      params: {
        s3_bucket: bucket.name,
        s3_key: 'in/large.csv',
        read: { format: 'csv' },
        map: { id: 'int(record.id)', noise: 'record.noise' },
        write: { format: 'csv' },
      },
      output: `s3://${bucket.name}/large/`,
      environment: { SLUICE_CONN_AWS_DEFAULT: bucket.url },
    };
    const worker = startProcess('test/support/task-process.ts', ['transform', JSON.stringify(attempt)], {});
    await Promise.race([
      eventually(async () => assert.ok((await bucket.uploads()) > 0), 60_000),
      worker.exited.then(() => assert.fail(worker.stderr())),
    ]);
    await worker.stop('SIGKILL');
    const output = await runTask<JsonObject>(transform, { ...attempt, attempt: 2 });
    assert.deepEqual([output.rows_read, output.rows, output.rows_rejected, output.dead_letters], [ROWS, ROWS, 0, null]);
    assert.equal(await bucket.uploads(), 0);
    const keys = await bucket.keys('large/');
    assert.deepEqual(keys.map((key) => key.replace(/^.*run-[^/]+\//, '')).sort(), [
      'attempt-2/part-00000.csv.gz',
      'large/manifest.json',
      'manifest.json',
    ]);
    assert.equal(await textOf(output), lines.map((line) => line.replace(/,(.*)\n/, ',"$1"\n')).join(''));
    // The answer of an attempt that has published is lost: the next one gives the same.
    assert.deepEqual(await runTask<JsonObject>(transform, { ...attempt, attempt: 3 }), output);
  });
});
