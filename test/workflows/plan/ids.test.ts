import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import {
  backfillId,
  backfillRunId,
  dagIdOf,
  idIn,
  incidentId,
  incidentKeyIn,
  isIdOfTimetable,
  nameIn,
  nameOfRun,
  nameOfSensor,
  pipelineRunId,
  plainSensorId,
  RESERVED_DAG_IDS,
  scheduledRunIdBase,
  sensorId,
  sensorOf,
  siblingName,
  tickOf,
  withinPipeline,
} from '../../../workflows/plan/ids.ts';
import { MAX_ID_BYTES } from '../../../workflows/plan/values/bounded-id.ts';
import { caseCount } from '../../support/random-cases.ts';

/** Words that also occur in ids, so that collisions are likely. */
const WORDS = ['etl', 'acme', 'manual', 'scheduled', 'backfill', 'backfills', 'pipeline', 'runs', 'sluice'];
const dagIds = fc
  .oneof(fc.constantFrom(...WORDS), fc.stringMatching(/^[a-z][a-z0-9_]{0,20}$/))
  .filter((dagId) => !RESERVED_DAG_IDS.has(dagId));
/** Any text may be the name of a task queue. */
const deployments = fc.oneof(
  fc.constantFrom(...WORDS, ...WORDS.map((word) => `${word}:etl`), 'a/b', 'a%2Fb', 'A', 'a', '~', ''),
  fc.string({ unit: 'binary', maxLength: 200 }),
);
const names = fc.oneof(
  dagIds,
  fc.tuple(deployments, dagIds).map(([deployment, dagId]) => nameIn(deployment, dagId)),
);
const texts = fc.oneof(fc.constantFrom(...WORDS, '2024-01-02T00:00:00Z', 'etl/manual/1'), fc.string({ minLength: 1, maxLength: 40 }));
const days = fc.integer({ min: 0, max: 40_000 }).map((day) => new Date(day * 86_400_000).toISOString().replace('.000Z', 'Z'));

/** The ids of one name, by what they are for. */
const uses = fc.oneof(
  fc.tuple(names, fc.constant('schedule')).map(([name]) => ({ use: ['schedule', name], id: `schedule ${name}` })),
  fc.tuple(names, texts).map(([name, id]) => ({ use: ['manual', name, id], id: pipelineRunId(name, 'manual', id) })),
  fc.tuple(names, days).map(([name, day]) => ({ use: ['scheduled', name, day], id: `${scheduledRunIdBase(name)}-${day}` })),
  fc.tuple(names, days, days).map(([name, from, to]) => ({ use: ['backfill', name, from, to], id: backfillId(name, from, to) })),
  fc.tuple(names, days, days).map(([name, start, end]) => ({
    use: ['backfill run', name, start, end],
    id: backfillRunId(name, { start, end }, true),
  })),
  fc.tuple(names, dagIds).map(([name, trigger]) => ({ use: ['sensor', name, trigger], id: sensorId(name, trigger) })),
);

describe('ids', () => {
  it('differ for different deployments, pipelines and uses', () => {
    fc.assert(
      fc.property(fc.array(uses, { minLength: 2, maxLength: 20 }), (all) => {
        const byId = new Map<string, string>();
        for (const { use, id } of all) {
          const known = byId.get(id);
          assert.equal(known ?? JSON.stringify(use), JSON.stringify(use), id);
          byId.set(id, JSON.stringify(use));
        }
      }),
      { numRuns: caseCount(500) },
    );
  });

  it('have one name for each deployment and pipeline, which no dag_id equals', () => {
    fc.assert(
      fc.property(deployments, dagIds, deployments, dagIds, (one, dagId, other, otherId) => {
        const [name, otherName] = [nameIn(one, dagId), nameIn(other, otherId)];
        assert.equal(name === otherName, one === other && dagId === otherId);
        assert.notEqual(name, otherId);
        assert.equal(dagIdOf(name), dagId);
        assert.ok(Buffer.byteLength(name.slice(0, -dagId.length)) <= 81);
      }),
      { numRuns: caseCount(500) },
    );
  });

  it('are read back', () => {
    fc.assert(
      fc.property(names, texts, days, days, dagIds, (name, id, start, end, other) => {
        const dagId = dagIdOf(name);
        const run = pipelineRunId(name, 'manual', id);
        assert.ok(Buffer.byteLength(run) <= MAX_ID_BYTES);
        assert.equal(nameOfRun(run), name);
        assert.ok(withinPipeline(run).startsWith('manual/'));
        assert.equal(isIdOfTimetable(run, dagId), false);
        const scheduled = `${scheduledRunIdBase(name)}-${start}`;
        assert.equal(tickOf(scheduled), Date.parse(start));
        for (const each of [scheduled, backfillRunId(name, { start, end }, true)])
          assert.deepEqual([isIdOfTimetable(each, dagId), isIdOfTimetable(each, `${dagId}_2`)], [true, false]);
        assert.equal(tickOf(run), undefined);
        // What a run starts has the deployment of the run.
        assert.equal(siblingName(run, dagId), name);
        assert.equal(siblingName(run, other), name === dagId ? other : name.slice(0, -dagId.length) + other);
        const sensor = sensorId(name, other);
        assert.deepEqual(sensorOf(sensor), { name, dagId, trigger: other });
        assert.deepEqual([plainSensorId(sensor), nameOfSensor(sensor, dagId)], [sensorId(dagId, other), name]);
      }),
      { numRuns: caseCount(500) },
    );
  });

  it('without the deployment lead to those with it', () => {
    const own = nameIn('acme', 'etl');
    assert.equal(own, 'acme:etl');
    assert.equal(idIn('acme', 'etl/manual/1'), `${own}/manual/1`);
    assert.equal(idIn('acme', sensorId('etl', 'made')), sensorId(own, 'made'));
    assert.equal(idIn('acme', incidentId('etl/late/1')), incidentId(incidentKeyIn('acme', 'etl/late/1')));
  });
});
