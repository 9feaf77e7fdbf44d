import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, it } from 'mocha';
import { ResourceCompiler } from '../../compiler/compile-resources.ts';
import { compileResources } from '../../compiler/project-resources.ts';
import { ROOT } from '../../lib/environment.ts';
import { formatDiagnostic } from '../../compiler/mistakes/diagnostic.ts';
import { RESOURCES } from '../../resources/catalog.ts';
import { diffFields, showDifference } from '../../resources/fields.ts';
import { kafkaConnector } from '../../resources/kafka-connector.ts';
import { stringify } from 'yaml';

const compiler = new ResourceCompiler(RESOURCES);
const environment = {
  name: 'prod',
  file: 'environments/prod.yaml',
  vars: new Map<string, string | number>([
    ['partitions', 12],
    ['team', 'shop'],
  ]),
};

function compile(text: string, context = {}) {
  const [compilation] = compiler.compileAll([{ file: 'resources/a.yaml', text, environment, environments: ['prod'] }], context);
  return compilation ?? assert.fail('no compilation');
}
const mistakes = (text: string, context = {}): string[] => compile(text, context).diagnostics.map(formatDiagnostic);

describe('resource files', () => {
  for (const type of RESOURCES)
    it(`the example of ${type.type} compiles, and has the default connection`, () => {
      const { resources, diagnostics } = compile(stringify({ resources: [type.example] }));
      assert.deepEqual(diagnostics, []);
      assert.deepEqual(
        resources?.map(({ type, connId, name }) => [type, connId, name]),
        [[type.type, type.connection.default, type.example.name]],
      );
    });

  it('read the variables of an environment, with their type', () => {
    const text = `resources:\n  - {name: "{{ vars.team }}-orders", type: kafka_topic, partitions: "{{ vars.partitions }}"}\n`;
    const [topic] = compile(text).resources ?? [];
    assert.deepEqual([topic?.name, topic?.keys], ['shop-orders', { partitions: 12 }]);
  });

  const CASES: readonly (readonly [title: string, text: string, expected: RegExp])[] = [
    [
      'an unknown type',
      '  - {name: a, type: kafka_topik, partitions: 1}',
      /^resources\/a\.yaml:2:21 {2}SL207 {2}Unknown resource type 'kafka_topik'\.\n.*\n.*\^{11} did you mean 'kafka_topic'\?$/,
    ],
    ['a missing type', '  - {name: a, partitions: 1}', /:2:12 {2}SL202 {2}'type' is missing in this resource\./],
    [
      'an unknown key',
      '  - {name: a, type: kafka_topic, partition: 1}',
      /:2:34 {2}SL201 {2}Unknown key 'partition' in a resource of type kafka_topic\.\n.*\n.*did you mean 'partitions'\?/,
    ],
    ['a missing key', '  - {name: a, type: kafka_topic}', /:2:12 {2}SL202 {2}'partitions' is missing in this resource\./],
    [
      'a value of the wrong type',
      '  - {name: a, type: kafka_topic, partitions: many}',
      /:2:46 {2}SL203 {2}'partitions' must be a whole number, not 'many'/,
    ],
    [
      'a name that its server refuses',
      '  - {name: a b, type: kafka_topic, partitions: 1}',
      /:2:12 {2}SL205 {2}'name' is 'a b'; it must be letters, digits, dots, _ and -/,
    ],
    [
      'an expression',
      `  - {name: "a-{{ ds }}", type: kafka_topic, partitions: 1}`,
      /:2:12 {2}SL508 {2}A resource has no run, so only `\{\{ vars\.… \}\}` is possible here/,
    ],
    [
      'an unknown variable',
      `  - {name: "{{ vars.teams }}", type: kafka_topic, partitions: 1}`,
      /:2:12 {2}SL114 {2}The environment 'prod' does not define 'teams'\.\n.*\n.*did you mean 'team'\?/,
    ],
    [
      'two of one name',
      '  - {name: a, type: kafka_topic, partitions: 1}\n  - {name: a, type: kafka_topic, partitions: 2}',
      /:3:12 {2}SL301 {2}The kafka_topic 'a' is declared twice\./,
    ],
    [
      'an integer that would lose digits',
      '  - {name: a, type: kafka_topic, partitions: 1, config: {retention.bytes: 9223372036854775807}}',
      /SL210/,
    ],
  ];
  for (const [title, entries, expected] of CASES)
    it(`report ${title}`, () => {
      const found = mistakes(`resources:\n${entries}\n`);
      assert.equal(found.length, 1, found.join('\n'));
      assert.match(found[0] ?? '', expected);
    });

  it('report a file that is not a map, or has another key', () => {
    assert.match(mistakes('- a\n')[0] ?? '', /SL105 {2}The file is not a map of keys\.\n.*\n.*start with `resources:`/);
    assert.match(mistakes('')[0] ?? '', /SL105 {2}The file is empty/);
    assert.match(mistakes('resource: []\n').join('\n'), /SL201 {2}Unknown key 'resource'\.\n.*\n.*did you mean 'resources'\?/);
  });

  it('report a connection of the wrong type, and warn of one that is not defined here', () => {
    const text = 'resources:\n  - {name: a, type: kafka_topic, conn_id: lake, partitions: 1}\n';
    const context = { connections: new Set(['lake', 'events']), connectionTypes: new Map([['lake', 'aws']]) };
    assert.match(mistakes(text, context)[0] ?? '', /:2:43 {2}SL408 {2}Connection 'lake' is of type aws; a kafka_topic needs kafka\./);
    const other = compile(text.replace('lake', 'evens'), context);
    assert.deepEqual(
      [other.resources?.length, other.diagnostics.map(({ code, hint }) => [code, hint])],
      [1, [['SL406', "did you mean 'events'?"]]],
    );
  });

  it('report a connection that the policy does not allow in their folder', () => {
    const text = 'resources:\n  - {name: a, type: kafka_topic, partitions: 1}\n';
    const policy = { resources: { connections: ['shop_*'] } };
    const [compilation] = compiler.compileAll([{ file: 'a.yaml', text, place: 'resources/a.yaml' }], { policy });
    assert.deepEqual(
      compilation?.diagnostics.map(({ code, message }) => [code, message]),
      [['SL318', "Connection 'kafka_default' is not allowed in resources; allowed: shop_*."]],
    );
  });

  it('name a file with a schema, which is read with them', () => {
    const entry = (keys: string): string => `resources:\n  - {name: a, type: schema_subject, ${keys}}\n`;
    const readBeside = (path: string) =>
      path === 'a.avsc'
        ? { file: 'resources/a.avsc', text: '"string"' }
        : { refused: `File '${path}' does not exist.`, hint: 'write its path' };
    const of = (keys: string) => compiler.compileAll([{ file: 'resources/a.yaml', text: entry(keys), readBeside }])[0];
    assert.deepEqual(of('schema_file: a.avsc')?.resources?.[0]?.keys, { schema: '"string"' });
    const found = (keys: string) => of(keys)?.diagnostics.map(({ code, column, message }) => [code, column, message]);
    assert.deepEqual(found('schema_file: b.avsc'), [['SL113', 50, "File 'b.avsc' does not exist."]]);
    assert.deepEqual(found('compatibility: NONE'), [['SL208', 12, 'One of schema, schema_file is missing in this resource.']]);
    assert.deepEqual(found('schema: x, schema_file: a.avsc'), [['SL208', 48, "'schema_file' and 'schema' exclude each other."]]);
  });

  it('refuse a secret of a connector in clear, and take it from a connection or from its workers', () => {
    const password = (value: string): string[] =>
      mistakes(`resources:\n  - {name: a, type: kafka_connector, config: {database.password: ${value}}}\n`);
    assert.match(password('hunter2')[0] ?? '', /SL208 {2}'database\.password' is a secret, and would be in the file for all to read\./);
    assert.ok(!password('hunter2')[0]?.split('\n')[0]?.includes('hunter2'));
    assert.deepEqual(password('"${env:PASSWORD}"'), []);
    assert.deepEqual(password('{conn_id: mysql_legacy, field: password}'), []);
    assert.match(password('{conn_id: mysql_legacy}')[0] ?? '', /SL202 {2}'field' is missing/);
  });

  for (const [value, isSecret] of [
    ['jdbc:mysql://h/shop?user=a&password=hunter2', true],
    ['jdbc:sqlserver://h;databaseName=a;password=hunter2', true],
    ['mongodb://ann:hunter2@h/shop', true],
    ['jdbc:mysql://h/shop?user=a&password=${env:PASSWORD}', false],
    ['mongodb://ann:${env:PASSWORD}@h/shop', false],
    ['http://h:8080/a@b', false],
    ['broker-1:9092,broker-2:9092', false],
  ] as const)
    it(`${isSecret ? 'refuse' : 'accept'} the address ${value} of a connector, and ${isSecret ? 'never show' : 'show'} it as a difference`, async () => {
      const found = mistakes(`resources:\n  - {name: a, type: kafka_connector, config: {connection.url: "${value}"}}\n`);
      if (isSecret)
        assert.match(found[0] ?? '', /SL208 {2}'connection\.url' contains a password, and would be in the file for all to read\./);
      else assert.deepEqual(found, []);
      const server = createServer((_, response) => {
        response.setHeader('content-type', 'application/json').end(JSON.stringify({ name: 'a', 'connection.url': value }));
      }).listen(0, '127.0.0.1');
      await once(server, 'listening');
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      const opened = await kafkaConnector.open({ type: 'kafka_connect', url }, new AbortController().signal);
      const actual = await opened.read('a', {});
      server.close();
      assert.deepEqual(diffFields({}, actual ?? {}).map(showDifference), [
        { field: 'config.connection.url', actual: isSecret ? '(hidden)' : value, declared: null },
      ]);
    });

  it('of examples/integrations compile', async () => {
    const root = join(ROOT, 'examples/integrations');
    const { resources, broken } = await compileResources([join(root, 'resources')], { name: 'integrations', root }, compiler, {});
    assert.deepEqual(broken, []);
    assert.ok(new Set(resources.map(({ type }) => type)).size >= 5);
  });

  it('do not hide each other, and name the file that declares the same resource', () => {
    const topic = 'resources:\n  - {name: a, type: kafka_topic, partitions: 1}\n';
    const [good, bad, twin] = compiler.compileAll([
      { file: 'a.yaml', text: topic },
      { file: 'b.yaml', text: 'resources: 1\n' },
      { file: 'c.yaml', text: topic },
    ]);
    assert.deepEqual([good?.resources?.length, bad?.resources, twin?.resources], [1, undefined, undefined]);
    assert.match(twin?.diagnostics[0]?.message ?? '', /declared twice: also in a\.yaml/);
  });
});
