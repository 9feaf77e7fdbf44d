import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'mocha';
import { CATALOG } from '../../../activities/catalog.ts';
import { TRIGGERS } from '../../../sensors/catalog.ts';
import { compiler } from '../../support/compiler.ts';

const TYPES = readFileSync('docs/02-task-types.md', 'utf8');
const WRITING = readFileSync('docs/01-writing-pipelines.md', 'utf8');

interface Schema {
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly patternProperties?: Readonly<Record<string, Schema>>;
}

/** The names of all keys in a schema, however deep, with their descriptions. */
function keysIn({ properties = {}, items, anyOf = [], patternProperties = {} }: Schema): [string, Schema][] {
  const inner = [...Object.values(properties), ...(items ? [items] : []), ...anyOf, ...Object.values(patternProperties)];
  return [...Object.entries(properties), ...inner.flatMap(keysIn)];
}

const sectionOf = (type: string): string => TYPES.split(`\n## ${type}\n`)[1]?.split('\n## ')[0] ?? '';

describe('the reference', () => {
  for (const { type, params, result } of CATALOG) {
    it(`has every key of ${type}, those inside of others too, and its output`, () => {
      const section = sectionOf(type);
      for (const [key, { description }] of keysIn(params)) {
        assert.match(section, new RegExp(`^\\| \`(?:[\\w.<>[\\]]*\\.)?${key}\` \\| [^|]+\\|[^|]*\\| \\S`, 'm'), key);
        assert.ok(description, `${key} has no description`);
      }
      assert.match(section, /^Output: /m);
      for (const [field] of keysIn(result)) assert.match(section, new RegExp(`^Output: .*\`${field}\``, 'm'), field);
    });
  }

  it('names the failures of each type that has some', () => {
    for (const [type, failure] of [
      ['sql', 'TableNotFound'],
      ['http', 'RequestTimedOut'],
      ['reconcile', 'DataMismatch'],
      ['spark_job', 'SparkFailed'],
    ] as const) {
      assert.match(sectionOf(type), new RegExp(`^Errors: .*\`${failure}\``, 'm'), type);
    }
  });

  it('has every key of a pipeline, of every task and of every trigger on page 01', () => {
    const { properties, definitions } = compiler.schema as { properties: object; definitions: object };
    const common = Object.keys(definitions).flatMap((name) => /^task_key_(.*)/.exec(name)?.[1] ?? []);
    const triggers = TRIGGERS.flatMap(({ params }) => Object.keys(params.properties));
    const missing = [...new Set([...Object.keys(properties), ...common, ...triggers])].filter(
      (key) => !new RegExp(`\\b${key}\\b`).test(WRITING),
    );
    assert.deepEqual(missing, []);
  });
});
