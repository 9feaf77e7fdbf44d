import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { decodeJson } from '../../lib/kafka/decode-record.ts';
import type { DeadLetter, DeadLetters, LettersOrigin } from '../../sensors/kafka/dead-letters.ts';
import { Incarnations } from '../../sensors/kafka/incarnation.ts';
import { type KafkaCursor, Position } from '../../sensors/kafka/position.ts';
import type { RunEvent } from '../../workflows/plan/trigger.ts';
import { drawing } from '../support/bags.ts';
import { handlerInMemory, recordInMemory, sensorInMemory } from '../support/memory-sensor.ts';
import { caseCount } from '../support/random-cases.ts';

const MODES: Readonly<Record<string, string>> = {
  each: 'mode: each',
  'batch of 3': 'mode: {batch: {max_records: 3, within: 1h}}',
  'batch of 1': 'mode: {batch: {max_records: 1, within: 1h}}',
};
const KINDS = ['match', 'match', 'none', 'invalid'] as const;
const ROUNDS = caseCount(60);

/** A record, by what a trigger with `when: event.n > 1` makes of it. */
const VALUES = { match: '{"n": 2}', none: '{"n": 0}', invalid: '{"n": "x"}' } as const;

describe('the offsets of Kafka sensors', () => {
  for (const [name, mode] of Object.entries(MODES)) {
    it(`are committed behind no record that has not become a run or a dead letter yet: ${name}`, async () => {
      const draw = drawing(7);
      for (let round = 0; round < ROUNDS; round++) await playRound(mode, draw);
    });
  }

  it('are needed until the runs of a window have started: its end is remembered after them', async () => {
    const { sensor, starts } = sensorInMemory('type: kafka, topic: t, mode: {window: {size: 1m, aggregates: {c: count()}}}');
    const closedAtStart: unknown[] = [];
    starts.onStart = () => closedAtStart.push((sensor.journal.cursor as KafkaCursor | undefined)?.closed);
    const incarnations = new Incarnations({});
    const letters = { write: () => Promise.resolve(), close: () => Promise.resolve() } as unknown as DeadLetters;
    const position = new Position(sensor.journal, letters, incarnations);
    const handler = handlerInMemory({ sensor, decode: decodeJson, position, incarnations });
    const begin = Math.floor(Date.now() / 60_000) * 60_000 - 3_600_000;
    // The record of a later minute ends the window of the one before.
    for (const minute of [0, 5]) {
      const records = [recordInMemory(Buffer.from('{}'), minute, { timestamp: String(begin + minute * 60_000) })];
      const batch = { topic: 't', partition: 0, records, count: 1, from: String(minute), next: String(minute + 1), lag: 0 };
      await handler.handle({ ...batch, alive: () => Promise.resolve(), commit: () => Promise.resolve() });
    }
    await position.close();
    assert.deepEqual(closedAtStart, [undefined]);
    assert.equal(typeof (sensor.journal.cursor as KafkaCursor | undefined)?.closed, 'number');
  });
});

async function playRound(mode: string, draw: (below: number) => number): Promise<void> {
  const kinds = Array.from({ length: 1 + draw(12) }, () => KINDS[draw(KINDS.length)] ?? 'none');
  const done = new Set<string>();
  const { sensor, starts } = sensorInMemory(`type: kafka, topic: t, when: event.n > 1, ${mode}`);
  starts.onStart = ({ event }) => {
    for (const offset of offsetsOf(event)) if (kinds[offset] === 'match') done.add(String(offset));
  };
  const check = (next: string): void => {
    for (let offset = 0; offset < Number(next); offset++)
      assert.ok(
        kinds[offset] === 'none' || done.has(String(offset)),
        `${kinds.join(' ')}: ${next} is committed before ${offset} is done with`,
      );
  };
  const letters = {
    write(list: readonly DeadLetter[], reached?: LettersOrigin) {
      for (const { record } of list) {
        assert.ok(!done.has(record.offset), `${kinds.join(' ')}: a second letter for ${record.offset}`);
        done.add(record.offset);
      }
      if (reached) check(reached.next);
      return Promise.resolve();
    },
    close: () => Promise.resolve(),
  } as unknown as DeadLetters;
  const incarnations = new Incarnations({});
  const position = new Position(sensor.journal, letters, incarnations);
  const handler = handlerInMemory({ sensor, decode: decodeJson, position, incarnations });
  const commit = (offset?: string): Promise<void> => Promise.resolve(check(offset ?? ''));
  for (let from = 0; from < kinds.length;) {
    const count = 1 + draw(kinds.length - from);
    const records = kinds.slice(from, from + count).map((kind, index) => recordInMemory(Buffer.from(VALUES[kind]), from + index));
    from += count;
    await handler.handle({
      topic: 't',
      partition: 0,
      records,
      count,
      from: String(from - count),
      next: String(from),
      lag: 0,
      alive: () => Promise.resolve(),
      commit,
    });
  }
  await position.close();
}

/** The offsets from the first record of an event to its last. */
function offsetsOf({ meta }: RunEvent): number[] {
  const [first, last] = [Number(meta.offset), Number(meta.last_offset ?? meta.offset)];
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}
