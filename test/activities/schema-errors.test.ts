import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, it } from 'mocha';
import Type from 'typebox';
import { schemaErrors } from '../../activities/run/schema-errors.ts';

const schemaOf = (maximum: number) => Type.Unsafe({ type: 'object', properties: { age: { type: 'integer', maximum } } });

describe('the check of values by JSON Schema', () => {
  it('distinguishes schemas, also when each check gets another object', () => {
    for (let round = 0; round < 3; round++) {
      assert.deepEqual(
        [10, 20].map((maximum) => schemaErrors(schemaOf(maximum), { age: 15 }).map(({ path, message }) => `${path} ${message}`)),
        [['age must be <= 10'], []],
      );
    }
  });

  it('keeps nothing of a schema that is used once, as each attempt of a task uses those of its plan', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const used = Array.from({ length: 200 }, () => {
      const schema = schemaOf(30);
      assert.deepEqual(schemaErrors(schema, { age: 15 }), []);
      return new WeakRef(schema);
    });
    // A WeakRef holds its object until the end of the turn.
    await turn();
    collect();
    const kept = used.filter((each) => each.deref() !== undefined).length;
    assert.ok(kept <= 1, `${kept} of 200 are kept`);
  });
});
