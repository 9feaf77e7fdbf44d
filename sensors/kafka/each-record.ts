import { setTimeout as delay } from 'node:timers/promises';
import type { RecordBatch } from '../../lib/kafka/record-source.ts';
import { ifRefused } from '../events/event-runs.ts';
import { InParallel } from '../run/in-parallel.ts';
import { stopped } from '../run/sensor-stopped.ts';
import type { DeadLetter } from './dead-letters.ts';
import { originOf } from './match-record.ts';
import { HEARTBEAT_INTERVAL_MS, MAX_CONCURRENT_STARTS, type HandlerContext, type RecordHandler } from './record-handler.ts';
import { matchBatch } from './match-batch.ts';

/** Modes `each` and `cooldown`: one run per record. An offset is committed only after the server has all runs up to it. */
export class EachRecord implements RecordHandler {
  constructor(private readonly context: HandlerContext) {}

  async handle(batch: RecordBatch): Promise<void> {
    const { sensor, decode, position, incarnations } = this.context;
    const { matcher, runs, signal, trigger, journal } = sensor;
    const starts = new InParallel(MAX_CONCURRENT_STARTS, async () => {
      await delay(HEARTBEAT_INTERVAL_MS, undefined, { signal });
      await batch.alive();
    });
    const matching = { match: matcher.match.bind(matcher), decode };
    const refused: DeadLetter[] = [];
    const { matches, letters } = await matchBatch(sensor, batch, matching, (match, record) =>
      starts.add(
        runs.start(match.event, match, incarnations.originOf(record)).then(
          () => undefined,
          ifRefused((reason) => {
            if (trigger.onInvalid === 'stop') throw stopped(`${originOf(record)} starts no run: ${reason}`);
            journal.count('invalid');
            if (trigger.onInvalid === 'dead_letter') refused.push({ record, reason });
          }),
        ),
      ),
    );
    await starts.done();
    if (letters.length + refused.length > 0) await position.commitWithDeadLetters([...letters, ...refused], batch, batch.next);
    else await position.reach(batch, batch.next, matches > 0);
  }
}
