import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import type { Plan } from '../../../workflows/plan/plan.ts';
import { quietTimeFor, type StartClaim } from '../../../workflows/plan/sensor.ts';
import { eventually } from '../../support/eventually.ts';
import { TestKafka } from '../../support/kafka.ts';
import { type TestSensors, unique } from '../../support/test-sensors.ts';
import { testStack } from '../../support/test-stack.ts';
import { compileYaml } from '../../support/compile-yaml.ts';
import { startYamlSensors } from '../../support/yaml-sensors.ts';

const MINUTE = 60_000;
const COOLDOWN_MS = 5_000;

describe('mode: cooldown', function () {
  this.timeout('1m');
  let sensors: TestSensors;
  let kafka: TestKafka;

  before(async function () {
    this.timeout('15m');
    const { environment } = await testStack(['temporal', 'kafka']);
    sensors = await startYamlSensors(environment);
    kafka = await TestKafka.connect(environment);
  });
  after(async () => {
    await kafka.close();
    await sensors.close();
  });

  async function listening(): Promise<{ plan: Plan; topic: string }> {
    const topic = `hr-cool-${unique()}`;
    await kafka.createTopic(topic);
    const plan = compileYaml(`
dag_id: hr_cool_${unique()}
triggers:
  - {name: ev, type: kafka, topic: ${topic}, start: earliest, mode: {cooldown: ${COOLDOWN_MS / 1000}s}}
tasks: [{name: t, type: empty}]
`);
    await sensors.apply(plan);
    return { plan, topic };
  }

  it('a record 30 minutes ahead silences later ones for the cooldown and no longer, and what was dropped is counted', async () => {
    const { plan, topic } = await listening();
    const send = (skewMs = 0): Promise<void> => kafka.send(topic, [{ value: '{}', timestamp: String(Date.now() + skewMs) }]);
    await send(30 * MINUTE);
    await sensors.runsOf(plan, 1);
    await send();
    await eventually(async () => assert.equal((await sensors.stateOf(plan)).reports[0]?.counts.quiet, 1), 30_000);
    await sensors.runsOf(plan, 1);
    await new Promise((resolve) => setTimeout(resolve, COOLDOWN_MS));
    await send();
    await sensors.runsOf(plan, 2);
    await sensors.stop(plan);
  });

  describe('the quiet time after a run', () => {
    const claim = (id: string, atSecond: number, askedSecond: number): StartClaim => ({
      id,
      at: new Date(atSecond * 1000).toISOString(),
      askedAt: new Date(askedSecond * 1000).toISOString(),
    });
    for (const [name, last, next, isQuiet] of [
      ['in the time of the events, of a backlog', claim('a', 0, 1000), claim('b', 59, 1000), true],
      ['over in the time of the events, of a backlog', claim('a', 0, 1000), claim('b', 60, 1000), false],
      ['after a record that is ahead', claim('a', 9000, 1000), claim('b', 1001, 1001), true],
      ['over by the clock after a record that is ahead', claim('a', 9000, 1000), claim('b', 1060, 1060), false],
      ['over by the clock for records that are behind', claim('a', 1000, 1000), claim('b', -5000, 1060), false],
      ['not for the run itself, asked again', claim('a', 1000, 1000), claim('a', 1000, 1001), false],
      ['without a clock, by the events alone', { id: 'a', at: new Date(9_000_000).toISOString() }, claim('b', 1060, 1060), true],
    ] as const) {
      it(name, () => assert.equal(quietTimeFor(next, last, MINUTE) !== undefined, isQuiet));
    }
  });
});
