import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { stringify } from 'yaml';
import { CATALOG } from '../../../activities/catalog.ts';
import { withCurrentNames } from '../../../lib/current-names.ts';
import { CHANNELS } from '../../../channels/catalog.ts';
import { alertsSchema } from '../../../compiler/schema/alerts-schema.ts';
import { TRIGGERS } from '../../../sensors/catalog.ts';
import { isMap, type JsonObject } from '../../../workflows/plan/values/json.ts';
import { compiler } from '../../support/compiler.ts';

interface Property {
  readonly title?: string;
  readonly connection?: boolean;
  readonly formerly?: string;
  readonly template?: string;
  readonly examples?: readonly unknown[];
  readonly properties?: Readonly<Record<string, Property>>;
}

/** A map of keys in the language: those of a task type, of a trigger type, of a channel. */
interface Keys {
  readonly of: string;
  /** The keys that lead to it, from the task, trigger or `alerts` that it is in. */
  readonly path: readonly string[];
  readonly properties: Readonly<Record<string, Property>>;
}

function mapsIn(of: string, { properties = {} }: Property, path: readonly string[] = []): Keys[] {
  const inner = Object.entries(properties).flatMap(([key, each]) => mapsIn(of, each, [...path, key]));
  return Object.keys(properties).length === 0 ? [] : [{ of, path, properties }, ...inner];
}

const TASKS = CATALOG.flatMap(({ type, params }) => mapsIn(`task ${type}`, params as Property));
const MAPS = [
  ...TASKS,
  ...TRIGGERS.flatMap(({ type, params }) => mapsIn(`trigger ${type}`, params as Property)),
  ...mapsIn('alerts', alertsSchema(CHANNELS)),
];
const FORMER = MAPS.flatMap((map) =>
  Object.entries(map.properties).flatMap(([key, { formerly, examples }]) =>
    formerly === undefined || formerly === 'queue' ? [] : [{ ...map, key, formerly, example: examples?.[0] }],
  ),
);

/** `value` with the map at `path` replaced by what `change` makes of it. */
function changeAt(value: JsonObject, [key, ...rest]: readonly string[], change: (map: JsonObject) => JsonObject): JsonObject {
  if (key === undefined) return change(value);
  const inner = value[key];
  return { ...value, [key]: changeAt(isMap(inner) ? inner : {}, rest, change) };
}

/** A pipeline with the example of what `of` names, changed. */
function fileWith({ of, path }: Keys, change: (map: JsonObject) => JsonObject): string {
  const [kind, type] = of.split(' ');
  const task = CATALOG.find((each) => each.type === type)?.example ?? {};
  const trigger = TRIGGERS.find((each) => each.type === type)?.example ?? {};
  const file = { dag_id: 'x', tasks: kind === 'task' ? [changeAt(task, path, change)] : [{ name: 'a', type: 'empty' }] };
  if (kind === 'trigger') return stringify({ ...file, triggers: [changeAt(trigger, path, change)] });
  return stringify(kind === 'alerts' ? { ...file, alerts: changeAt({}, path, change) } : file);
}

describe('one name for one thing', () => {
  it('names a connection by conn_id, or by <role>_conn_id where there are several in a map', () => {
    for (const { of, path, properties } of MAPS) {
      const keys = Object.keys(properties).filter((key) => properties[key]?.connection);
      // A reconcile names its two databases in `source` and `target`: what stands beside them is the connection of reports.
      const expected = keys.length > 1 || of === 'task reconcile' ? /^([a-z]+_)?conn_id$/ : /^conn_id$/;
      for (const key of keys) assert.match(key, expected, [of, ...path].join('.'));
    }
  });

  it("calls a task's SQL sql; a query is rows that are read, a where their condition", () => {
    for (const { of, properties } of TASKS) {
      const keys = Object.keys(properties).filter((key) => properties[key]?.template === 'sql');
      for (const key of keys) assert.ok(['sql', 'query', 'where'].includes(key), `${of}: ${key}`);
    }
  });

  for (const { formerly, key, example, ...map } of FORMER) {
    it(`${[map.of, ...map.path].join('.')}: '${formerly}' leads to '${key}' in one step`, () => {
      const text = fileWith(map, ({ [key]: value = example, ...rest }) => ({ ...rest, [formerly]: value }) as JsonObject);
      const { plan, diagnostics } = compiler.compile({ file: 'x.yaml', text });
      assert.equal(plan, undefined);
      assert.deepEqual(
        diagnostics.filter(({ severity }) => severity === 'error').map(({ code, hint }) => [code, hint]),
        [['SL201', `use '${key}'`]],
        text,
      );
      const renamed = compiler.compile({ file: 'x.yaml', text: text.replace(new RegExp(`\\b${formerly}: `), `${key}: `) });
      assert.ok(renamed.plan, JSON.stringify(renamed.diagnostics));
    });
  }

  it('reads the names that plans of earlier releases have', () => {
    const [sql, reconcile] = ['sql', 'reconcile'].map((type) => CATALOG.find((each) => each.type === type));
    assert.ok(sql && reconcile);
    assert.deepEqual(withCurrentNames(sql.params, { statement: 'SELECT 1', transaction: false }), { sql: 'SELECT 1', transaction: false });
    const sides = { source: { connection: 'a', table: 't' }, target: { conn_id: 'b', table: 't' } };
    assert.deepEqual(withCurrentNames(reconcile.params, sides), {
      source: { conn_id: 'a', table: 't' },
      target: { conn_id: 'b', table: 't' },
    });
  });

  for (const [of, key, hint] of [
    ['task kafka_publish', 'kafka_connection', "'conn_id'"],
    ['task http', 'connection_id', "'conn_id'"],
    ['task http', 'gcp_conn_id', "'conn_id'"],
    ['task postgres_to_s3', 'conn_id', "'postgres_conn_id' or 'aws_conn_id'"],
    ['task postgres_to_s3', 'connection', "'postgres_conn_id' or 'aws_conn_id'"],
    ['trigger sql', 'connection', "'conn_id'"],
    ['trigger s3', 's3_conn_id', "'conn_id'"],
  ] as const) {
    it(`${of}: '${key}' leads to ${hint}`, () => {
      const text = fileWith({ of, path: [], properties: {} }, (map) => ({ ...map, [key]: 'shop' }));
      const { diagnostics } = compiler.compile({ file: 'x.yaml', text });
      assert.deepEqual(
        diagnostics.map((each) => each.hint),
        [`use ${hint}`],
      );
    });
  }
});
