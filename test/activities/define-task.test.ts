import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import Type from 'typebox';
import { declareTask, defineTask } from '../../activities/define-task.ts';
import { defineTrigger } from '../../sensors/define-trigger.ts';
import { compiler } from '../support/compiler.ts';

const rest = {
  type: 'send',
  description: 'Sends.',
  summary: () => '',
  result: Type.Null(),
  connections: {},
  example: { name: 'a', type: 'send' },
  run: () => Promise.resolve(null),
} as const;

describe('a parameter with the name of a key that every task has', () => {
  it('is refused by the type checker and when the type is defined', () => {
    const message = /^The parameter 'queue' of the task type 'send' has the name of a key that every task has. Rename it, .*'send_queue'/;
    // @ts-expect-error The compiler would send the task to the task queue of that name.
    assert.throws(() => defineTask({ ...rest, params: Type.Object({ queue: Type.String() }) }), { message });
    // @ts-expect-error The same of a type that the interpreter runs.
    assert.throws(() => declareTask({ ...rest, runtime: 'interpreter', params: Type.Object({ queue: Type.String() }) }), { message });
  });

  it('is refused where it names a connection', () => {
    const connections = { broker: { key: 'pool', types: ['rabbitmq'], description: 'The broker.' } } as const;
    // @ts-expect-error `pool` is a key that every task has.
    assert.throws(() => defineTask({ ...rest, connections, params: Type.Object({}) }), /The parameter 'pool' of the task type 'send'/);
  });

  it('is refused of triggers', () => {
    const trigger = { type: 'wire', description: 'Listens.', event: {}, example: { name: 'a', type: 'wire' } };
    for (const key of ['name', 'type', 'when', 'params', 'dedup_key', 'max_in_flight'])
      assert.throws(
        () => defineTrigger({ ...trigger, params: Type.Object({ [key]: Type.String() }) }),
        new RegExp(`The key '${key}' of the trigger`),
      );
    for (const type of ['scheduled', 'manual', 'backfill', 'rerun'])
      assert.throws(() => defineTrigger({ ...trigger, type, params: Type.Object({}) }), new RegExp(`cannot be called '${type}'`));
  });
});

describe('a parameter that had another name', () => {
  it('is reported with the line to write', () => {
    const text = `
dag_id: send
tasks:
  - {name: tell, type: rabbitmq_publish, queue: order_processing, value: 1}
`;
    const { diagnostics, plan } = compiler.compile({ file: 'a.yaml', text });
    assert.equal(plan, undefined);
    assert.deepEqual(
      diagnostics.map(({ code, message, hint }) => [code, message, hint]),
      [
        [
          'SL202',
          "'queue_name' is missing in this task; 'queue' is a key of every task and has another meaning.",
          'write `queue_name: order_processing` instead of `queue: order_processing`',
        ],
      ],
    );
  });
});
