import assert from 'node:assert/strict';
import type { ConsumeMessage } from 'amqplib';
import { describe, it } from 'mocha';
import { RecordEvent } from '../../../lib/kafka/decode-record.ts';
import { TRIGGERS } from '../../../sensors/catalog.ts';
import { matchMessage } from '../../../sensors/rabbitmq/read-message.ts';
import { findingOf } from '../../../sensors/s3/watch-objects.ts';
import { eventOf } from '../../../sensors/temporal/watch-runs.ts';
import { EVENT_META } from '../../../workflows/plan/expressions/run-names.ts';
import type { Shape } from '../../../workflows/plan/expressions/shape.ts';
import type { RunEvent } from '../../../workflows/plan/trigger.ts';
import { compiler } from '../../support/compiler.ts';
import { recordInMemory } from '../../support/memory-sensor.ts';

const SOURCES: Readonly<Record<string, string>> = {
  kafka: 'topic: t',
  s3: 'bucket: raw-data',
  sql: 'query: SELECT id FROM t, cursor: id',
  http: 'path: /x',
  rabbitmq: 'queue: q',
  dataset: 'any: ["s3://a/b"]',
  pipeline: 'dag_id: other',
};

/** The mistakes of a pipeline with these triggers and a task that reads an expression, as `code: message: hint`. */
function mistakes(triggers: readonly string[], expression: string): string[] {
  const list = triggers.map((trigger, index) => `  - {name: t${index}, ${trigger}}`).join('\n');
  const text = `dag_id: x\ntriggers:\n${list}\ntasks:\n  - {name: a, type: command, argv: [echo, "{{ ${expression} }}"]}\n`;
  return compiler
    .compile({ file: 'x.yaml', text })
    .diagnostics.filter(({ severity, code }) => severity === 'error' && code.startsWith('SL5'))
    .map(({ code, message, hint }) => `${code}: ${message}: ${hint}`);
}

const of = (type: string): string => `type: ${type}, ${SOURCES[type]}`;

describe('what expressions read of an event', () => {
  for (const { type, event } of TRIGGERS) {
    it(`of type ${type}: each field that it has, and no other`, () => {
      for (const field of ['timestamp', ...Object.keys(event.meta ?? {})])
        assert.deepEqual(mistakes([of(type)], `event_meta.${field} == event_meta.${field} ? 'a' : 'b'`), [], field);
      assert.match(
        mistakes([of(type)], 'event_meta.timestanp').join(),
        /^SL511: 'event_meta' has no 'timestanp' here\.: did you mean 'timestamp'\?$/,
      );
      const isKnown = typeof event.value === 'object' && 'fields' in event.value;
      assert.equal(mistakes([of(type)], 'string(event.no_such_field)').length, isKnown ? 1 : 0);
    });
  }

  it('of several triggers: what one of them has', () => {
    assert.deepEqual(mistakes([of('kafka'), of('http')], 'string(event_meta.status) + event_meta.topic + string(event.anything)'), []);
    assert.match(mistakes([of('kafka'), of('http')], 'event_meta.routing_key').join(), /SL511/);
  });

  it('of a batch: not what each of its events is', () => {
    assert.deepEqual(mistakes(['type: kafka, topic: t, mode: {batch: {max_records: 2, within: 1m}}'], 'string(event.records.size())'), []);
  });

  it('has when a run evaluates it the type that it had when its file was compiled', () => {
    const { fields } = EVENT_META as { readonly fields: Readonly<Record<string, Shape>> };
    // Of these, JSON itself tells the type: see toCel. Any other has to be in EVENT_META, and cannot be in `event`.
    const isTold = (shape: Shape): boolean => typeof shape === 'object' || ['string', 'int', 'bool', 'dyn'].includes(shape);
    for (const { type, event } of TRIGGERS) {
      for (const [name, shape] of Object.entries(event.meta ?? {}))
        assert.ok(fields[name] === undefined ? isTold(shape) : JSON.stringify(fields[name]) === JSON.stringify(shape), `${type}: ${name}`);
      const { value } = event;
      if (typeof value !== 'object' || !('fields' in value)) continue;
      for (const [name, shape] of Object.entries(value.fields)) assert.ok(isTold(shape), `${type}: event.${name}`);
    }
  });

  it('fits what sensors give', () => {
    const record = new RecordEvent(recordInMemory(Buffer.from('{}'), 3), {});
    const message = { content: Buffer.from('{}'), fields: { routingKey: 'q', redelivered: false }, properties: { headers: {} } };
    const judged = matchMessage(message as unknown as ConsumeMessage, () => ({ kind: 'run' }) as never);
    const given: Readonly<Record<string, RunEvent | undefined>> = {
      kafka: record,
      rabbitmq: judged.kind === 'run' ? judged.event : undefined,
      s3: findingOf('b', { key: 'k', size: 1, etag: 'e', modified: 0 }).event,
      pipeline: eventOf({
        ...{ runId: 'r', dagId: 'd', state: 'success', cause: 'manual', endedAt: '2024-01-01T00:00:00Z' },
        interval: { start: '2024-01-01T00:00:00Z', end: '2024-01-02T00:00:00Z' },
      } as Parameters<typeof eventOf>[0]),
    };
    for (const [type, event] of Object.entries(given)) {
      const declared = TRIGGERS.find((each) => each.type === type)?.event;
      const meta = Object.keys(event?.meta ?? {});
      assert.ok(meta.includes('timestamp'), type);
      assert.deepEqual(
        meta.filter((field) => field !== 'timestamp' && !Object.hasOwn(declared?.meta ?? {}, field)),
        [],
        type,
      );
      const { value } = declared ?? {};
      if (typeof value !== 'object' || !('fields' in value)) continue;
      assert.deepEqual(Object.keys(event?.value as object).sort(), Object.keys(value.fields).sort(), type);
    }
  });
});
