import assert from 'node:assert/strict';
import { Ajv } from 'ajv';
import { describe, it } from 'mocha';
import { TRIGGERS } from '../../sensors/catalog.ts';
import { compiler } from '../support/compiler.ts';

const { schema } = compiler;

/** Every key of a map in the schema, with its path. */
function keysOf(value: unknown, path = '#'): [string, Record<string, unknown>][] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, part]) => [
    ...(key === 'properties'
      ? Object.entries(part as Record<string, Record<string, unknown>>).map(([name, each]): [string, Record<string, unknown>] => [
          `${path}/${name}`,
          each,
        ])
      : []),
    ...(key === 'examples' || key === 'default' ? [] : keysOf(part, `${path}/${key}`)),
  ]);
}

describe('the schema of pipelines', () => {
  it('is draft 07', () => {
    const ajv = new Ajv({ strict: false, validateFormats: false });
    assert.equal(ajv.validateSchema(schema), true, ajv.errorsText());
    assert.equal(schema.$schema, 'http://json-schema.org/draft-07/schema#');
  });

  it('says of each key what it is, with an example', () => {
    const resolve = (key: Record<string, unknown>): Record<string, unknown> => {
      const name = typeof key.$ref === 'string' ? key.$ref.replace('#/definitions/', '') : undefined;
      const definition = name === undefined ? undefined : (schema.definitions as Record<string, Record<string, unknown>>)[name];
      return definition ? { ...resolve(definition), ...key } : key;
    };
    const silent = keysOf(schema)
      .map(([path, key]): [string, Record<string, unknown>] => [path, resolve(key)])
      .filter(([, key]) => !key.title || !key.description || !(key.examples ?? key.const))
      .map(([path]) => path)
      // The schema of schemas has a key that is called `properties` itself.
      .filter((path) => !path.startsWith('#/definitions/value/properties/'));
    assert.deepEqual(silent, []);
  });

  for (const trigger of TRIGGERS) {
    it(`takes the example of the ${trigger.type} trigger`, () => {
      const file = { dag_id: 'x', triggers: [trigger.example], tasks: [{ name: 'a', type: 'empty' }] };
      const { diagnostics, plan } = compiler.compile({ file: 'x.yaml', text: JSON.stringify(file) });
      assert.deepEqual(
        diagnostics.filter(({ severity }) => severity === 'error'),
        [],
      );
      // What this release cannot carry out it says.
      const planned = trigger.sensor ? [] : [`triggers.${String(trigger.example.name)}.type`];
      assert.deepEqual(Object.keys(plan?.notYet ?? {}), planned);
    });
  }
});
