import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { WorkflowFailedError, WorkflowNotFoundError } from '@temporalio/client';
import { startBackfill } from '../../../temporal/schedules/backfills.ts';
import { readEndedRun, RerunRefused, startRerun } from '../../../temporal/runs/reruns.ts';
import { runStart } from '../../../temporal/runs/run-start.ts';
import { startManualRun } from '../../../temporal/runs/runs.ts';
import { searchAttribute } from '../../../temporal/search-attributes.ts';
import { createSensorStarts } from '../../../temporal/sensors/sensor-starts.ts';
import { applySensorChange, statusOf } from '../../../temporal/sensors/sensors.ts';
import { startScheduledRun } from '../../../temporal/schedules/ticks.ts';
import type { Plan } from '../../../workflows/plan/plan.ts';
import { sensorId } from '../../../workflows/plan/sensor.ts';
import { errorText } from '../../../workflows/plan/values/error-text.ts';
import { eventually } from '../eventually.ts';
import { planOf } from '../yaml-runs.ts';
import { type Clock, type History, type Row, type Start, type Step, timeOf } from './history.ts';
import type { Stage } from './stage.ts';
import {
  afterRun,
  backfilled,
  extract,
  firstWorld,
  isoOf,
  keepsData,
  load,
  type RunFact,
  wantedRun,
  type Wanted,
  type World,
} from './world.ts';

/** Time limit for a run while workers are killed and two cores are busy, in milliseconds. */
const PATIENCE_MS = 240_000;

let played = 0;

/**
 * Plays a history on real servers, and after each step compares the warehouse and the ended runs with the model.
 * @throws AssertionError that names the failed step
 */
export async function play(stage: Stage, history: History): Promise<void> {
  const number = played++;
  // A sensor needs some seconds after its worker is killed, and other histories kill theirs constantly: histories with Kafka share the last
  // one.
  const [last, ...others] = [...stage.workers].reverse();
  const seat = (usesKafka(history) ? last : others[number % others.length]) ?? assert.fail('There are fewer than two workers.');
  const player = new Player(stage, history, `h_${stage.tag}_${number}`, seat);
  await player.open();
  try {
    for (const [index, step] of history.steps.entries()) await player.play(step, index);
  } finally {
    await player.close();
  }
}

/** What an ended run shows to users. */
interface Ending {
  readonly name: string;
  readonly state: 'success' | 'failed' | 'refused';
  readonly message: string;
}

class Player {
  /** All worlds that are consistent with the observations: concurrent runs have two possible orders. */
  private worlds: readonly World[];

  constructor(
    private readonly stage: Stage,
    private readonly history: History,
    private readonly name: string,
    private readonly seat: Stage['workers'][number],
  ) {
    this.worlds = [firstWorld(history)];
  }

  async open(): Promise<void> {
    const { source, warehouse, kafka, client } = this.stage;
    const columns = '(id int PRIMARY KEY, at timestamptz NOT NULL, region text NOT NULL, v int NOT NULL)';
    await source.rows(`CREATE TABLE ${this.name} ${columns}`);
    await warehouse.rows(`CREATE TABLE ${this.name} ${columns.replace(' PRIMARY KEY', '')}`);
    for (const row of this.world.source) await this.insert(row);
    if (!usesKafka(this.history)) return;
    await kafka.createTopic(this.name);
    await this.applySensor();
    void client;
  }

  async close(): Promise<void> {
    if (usesKafka(this.history))
      await applySensorChange(this.stage.client, { id: sensorId(this.name, 'ev'), action: 'stop' }, this.seat.taskQueue);
  }

  async play(step: Step, index: number): Promise<void> {
    const { worlds } = this;
    const kill = 'kill' in step && step.kill !== undefined ? delay(step.kill).then(() => this.seat.worker.kill()) : Promise.resolve();
    const [endings, next] = await this.sendRequests(step, index);
    await kill;
    const table = await this.rowsOfTable();
    const possible = next.filter((world) => sameRows(world.table, table) && endings.every((ending) => isAsIn(world, ending)));
    if (possible.length === 0) {
      const seen = { table, endings };
      const expected = next.map((world) => ({
        table: world.table,
        runs: world.runs.slice(worlds[0]?.runs.length).map(({ name, state }) => [name, state]),
      }));
      assert.fail(
        `step ${index} (${JSON.stringify(step)}) of ${this.name}\nseen: ${JSON.stringify(seen)}\nexpected: ${JSON.stringify(expected)}`,
      );
    }
    for (const { state, message } of endings)
      if (state === 'failed')
        assert.match(
          message,
          /overlaps what is in|would delete all rows of|was handed over is gone|1 of 1 runs? failed|of \d+ runs failed/,
        );
    this.worlds = possible;
  }

  /** @returns the ended runs of the step, and the possible worlds after it */
  private async sendRequests(step: Step, index: number): Promise<readonly [readonly Ending[], readonly World[]]> {
    switch (step.kind) {
      case 'clock': {
        const clock: Clock = this.world.clock === 'days' ? 'quarters' : 'days';
        this.worlds = this.worlds.map((world) => ({ ...world, clock }));
        if (usesKafka(this.history)) await this.applySensor();
        return [[], this.worlds];
      }
      case 'insert': {
        const row: Row = { id: this.world.nextId, quarter: step.quarter, region: step.region, v: 0 };
        await this.insert(row);
        return [[], this.worlds.map((world) => ({ ...world, source: [...world.source, row], nextId: row.id + 1 }))];
      }
      case 'update':
      case 'delete': {
        const { source } = this.world;
        const row = source[step.which % Math.max(1, source.length)];
        if (!row) return [[], this.worlds];
        const isUpdate = step.kind === 'update';
        await this.stage.source.rows(
          isUpdate ? `UPDATE ${this.name} SET v = v + 1 WHERE id = ${row.id}` : `DELETE FROM ${this.name} WHERE id = ${row.id}`,
        );
        const changed = source.flatMap((each) => (each.id !== row.id ? [each] : isUpdate ? [{ ...each, v: each.v + 1 }] : []));
        return [[], this.worlds.map((world) => ({ ...world, source: changed }))];
      }
      case 'both':
        return this.start(step.starts, index);
      case 'rerun':
        return this.rerun(step, index);
      case 'backfill':
        return this.backfill(step);
      default:
        return this.start([step], index);
    }
  }

  /** Starts one run, or two concurrent ones. */
  private async start(starts: readonly Start[], index: number): Promise<readonly [readonly Ending[], readonly World[]]> {
    const wanted: Wanted[] = [];
    const running: Promise<Ending>[] = [];
    for (const [place, start] of starts.entries()) {
      const run = wantedRun(this.world, start, index * 2 + place);
      if (run && wanted.some(({ name }) => name === run.name)) continue;
      if (run) wanted.push(run);
      running.push(...(await this.begin(start, run)));
    }
    const endings = await Promise.all(running);
    const isConcurrent = wanted.length > 1;
    const orders = isConcurrent ? [wanted, [...wanted].reverse()] : [wanted];
    const worlds = this.worlds.flatMap((world) =>
      orders.map((order) =>
        order.reduce((before, run) => afterRun(this.history, before, run, extract(this.history, world, run), isConcurrent), world),
      ),
    );
    return [endings, worlds];
  }

  /** @returns the end of the run; none if the server should reject it */
  private async begin(start: Start, run: Wanted | undefined): Promise<Promise<Ending>[]> {
    const { client } = this.stage;
    const { taskQueue } = this.seat;
    const plan = this.plan();
    if (start.kind === 'event') return this.sendEvent(start, run);
    if (start.kind === 'tick') {
      const clock = wantedRun({ ...this.world, runs: [] }, start, 0) ?? assert.fail();
      const { outcome } = await startScheduledRun(client, plan, taskQueue, {
        start: isoOf(clock.interval.start),
        end: isoOf(clock.interval.end),
      });
      assert.equal(outcome === 'started', run !== undefined, `the tick ${clock.name} of ${this.name}`);
      return run ? [this.endOf(run.name)] : [];
    }
    if (!run) return [];
    const interval = { start: isoOf(run.interval.start), end: isoOf(run.interval.end) };
    const params = run.region === 'all' ? {} : { region: run.region };
    if (start.kind === 'run') {
      const { temporalRunId } = await startManualRun(client, plan, taskQueue, interval, run.name.slice('manual/'.length), params);
      return [this.endOf(run.name, temporalRunId)];
    }
    const { firstExecutionRunId } = await client.workflow.start(this.name, {
      workflowId: `${this.name}/${run.name}`,
      workflowIdReusePolicy: 'ALLOW_DUPLICATE',
      ...runStart(plan, 'manual', taskQueue, { interval, params }),
    });
    return [this.endOf(run.name, firstExecutionRunId)];
  }

  private async sendEvent(start: Start & { readonly kind: 'event' }, run: Wanted | undefined): Promise<Promise<Ending>[]> {
    const { client, kafka } = this.stage;
    const moment = wantedRun({ ...this.world, runs: [] }, start, 0)?.interval.end ?? assert.fail();
    const event = { key: `k${start.key}`, region: start.region };
    const starts = createSensorStarts(client, this.seat.taskQueue);
    const timestamp = isoOf(moment + 1);
    const wanted = {
      plan: this.plan(),
      cause: 'kafka',
      id: event.key,
      params: { region: start.region },
      event: { value: event, meta: { timestamp } },
    };
    if (!usesKafka(this.history)) {
      assert.equal(await starts.start(wanted), run ? 'started' : 'known');
      return run ? [this.endOf(run.name)] : [];
    }
    await kafka.send(this.name, [{ value: JSON.stringify(event), timestamp: String(moment + 1) }]);
    return run ? [this.endOf(run.name)] : [];
  }

  private async rerun(
    { which, from }: Step & { readonly kind: 'rerun' },
    index: number,
  ): Promise<readonly [readonly Ending[], readonly World[]]> {
    const { client } = this.stage;
    const { runs } = this.world;
    const repeated = runs[which % Math.max(1, runs.length)];
    // For a reused id, users see the newest run.
    const newest = repeated && runs.findLast(({ name }) => name === repeated.name);
    if (!newest) return [[], this.worlds];
    const run = await readEndedRun(client, this.idOf(newest.name));
    const wanted: Wanted = { name: '', interval: newest.interval, variant: newest.variant, region: newest.region };
    const now = Date.UTC(2027, 0, 1) + index;
    try {
      const order = { run, plan: run.plan, params: run.params, ...(from !== undefined && { from }) };
      const { pipelineRunId } = await startRerun(client, this.seat.taskQueue, order, now);
      wanted satisfies Wanted;
      const name = pipelineRunId.slice(this.name.length + 1);
      const ending = await this.endOf(name);
      const keeps = from !== 'extract' && !(from === undefined && newest.state === 'failed' && newest.data.length < 0);
      const again: Wanted = { ...wanted, name };
      return [
        [ending],
        this.worlds.flatMap((world) =>
          keeps ? this.afterKept(world, again, newest) : [afterRun(this.history, world, again, extract(this.history, world, again))],
        ),
      ];
    } catch (error) {
      if (!(error instanceof RerunRefused)) throw error;
      assert.equal(newest.state, 'success', `${error.message}: ${this.name}/${newest.name}`);
      assert.equal(from, undefined);
      return [[], this.worlds];
    }
  }

  /** A rerun that loads what the previous run extracted. It publishes nothing. */
  private afterKept(world: World, again: Wanted, { data, ...repeated }: RunFact): World[] {
    const loaded = load(this.history, world, again, data);
    const fact = { ...again, data };
    const failed: World = { ...world, runs: [...world.runs, { ...fact, state: 'failed' }] };
    const succeeded: World[] = loaded ? [{ ...world, ...loaded, runs: [...world.runs, { ...fact, state: 'success' }] }] : [failed];
    return keepsData(world, { ...repeated, data }) === 'yes' ? succeeded : [...succeeded, failed];
  }

  private async backfill(step: Step & { readonly kind: 'backfill' }): Promise<readonly [readonly Ending[], readonly World[]]> {
    const { client } = this.stage;
    const { world } = this;
    await this.isListed(world.runs.length);
    const intervals = backfilled(world, step);
    const all = backfilled({ ...world, runs: [] }, { ...step, reprocess: 'all' });
    const order = {
      plan: this.plan(),
      from: all[0]?.start ?? 0,
      to: all.at(-1)?.start ?? 0,
      reprocess: step.reprocess,
      maxActive: 1,
      reverse: false,
    };
    const { pipelineRunId } = await startBackfill(client, this.seat.taskQueue, order);
    const names = intervals.map(({ start, end }) => `backfill/${isoOf(start)}/${isoOf(end)}`);
    await client.workflow
      .getHandle(pipelineRunId)
      .result()
      .catch((error: unknown) => {
        if (!(error instanceof WorkflowFailedError)) throw error;
      });
    const endings = await Promise.all(names.map((name) => this.endOf(name)));
    const next = this.worlds.map((before) =>
      intervals.reduce((each, interval, place): World => {
        const wanted: Wanted = { name: names[place] ?? '', interval, variant: '', region: 'all' };
        return afterRun(this.history, each, wanted, extract(this.history, each, wanted));
      }, before),
    );
    await this.isListed(world.runs.length + intervals.length);
    return [endings, next];
  }

  /** Any world, for facts that are the same in all of them. */
  private get world(): World {
    return this.worlds[0] ?? assert.fail('There is no world left.');
  }

  private async applySensor(): Promise<void> {
    const { client } = this.stage;
    const id = sensorId(this.name, 'ev');
    const plan = this.plan();
    await applySensorChange(client, { id, action: 'start', plan, trigger: 'ev' }, this.seat.taskQueue);
    // The consumer of the previous plan reads until it is stopped, so an event in between belongs to it.
    const { key, value } = searchAttribute('planHash', plan.hash);
    try {
      await eventually(async () => {
        const { typedSearchAttributes } = await client.workflow.getHandle(id).describe();
        assert.equal(typedSearchAttributes.get(key), value, id);
      }, PATIENCE_MS);
    } catch (error) {
      throw new Error(await this.describeSensor(`${id} does not show its plan`), { cause: error });
    }
  }

  private plan(): Plan {
    const { method, onOverlap, incremental } = this.history;
    const load = [
      `s3_bucket: ${this.stage.bucket.name}, redshift_table: ${this.name}, method: ${method}`,
      ...(method === 'upsert' || method === 'merge' ? ['upsert_keys: [id]'] : []),
      ...(method === 'append' && onOverlap ? [`on_overlap: ${onOverlap}`] : []),
      ...(method === 'append' && onOverlap === 'replace' && !incremental ? ['interval_column: at'] : []),
    ];
    const query = `SELECT id, at, region, v FROM ${this.name} WHERE region = {{ params.region }} OR {{ params.region }} = 'all'`;
    return planOf(`
dag_id: ${this.name}
schedule_interval: "${this.world.clock === 'days' ? '@daily' : '0 */6 * * *'}"
params: {region: {type: string, default: all}}
default_args: {retries: 50, retry_delay: 1s, retry_exponential_backoff: 1, heartbeat_timeout: 3s}
triggers: [{name: ev, type: kafka, topic: ${this.name}, start: earliest, dedup_key: event.key, params: {region: "{{ event.region }}"}}]
tasks:
  - {name: extract, type: postgres_to_s3, query: "${query}", s3_bucket: ${this.stage.bucket.name}${incremental ? ', incremental: {column: at}' : ''}}
  - {name: load, type: s3_to_redshift, ${load.join(', ')}}
`);
  }

  private async insert({ id, region, v, ...row }: Row): Promise<void> {
    await this.stage.source.rows(`INSERT INTO ${this.name} VALUES ($1, $2, $3, $4)`, [id, isoOf(timeOf(row)), region, v]);
  }

  private idOf(name: string): string {
    return `${this.name}/${name.replace(/^event\//, 'kafka/')}`;
  }

  private async endOf(name: string, temporalRunId?: string): Promise<Ending> {
    const handle = this.stage.client.workflow.getHandle(this.idOf(name), temporalRunId);
    try {
      // The run starts some time after its event.
      await eventually(() => handle.describe(), PATIENCE_MS);
      await handle.result();
      return { name, state: 'success', message: '' };
    } catch (error) {
      if (error instanceof WorkflowFailedError) return { name, state: 'failed', message: error.cause?.message ?? '' };
      if (!(error instanceof WorkflowNotFoundError) || !usesKafka(this.history)) throw error;
      throw new Error(await this.describeSensor(`${this.idOf(name)} was not started`), { cause: error });
    }
  }

  /** The state of the sensor, its activities and its worker, for a failure. */
  private async describeSensor(problem: string): Promise<string> {
    const { client } = this.stage;
    const id = sensorId(this.name, 'ev');
    const { raw } = await client.workflow.getHandle(id).describe();
    return [
      `${problem} at ${new Date().toISOString()}:`,
      await statusOf(client, id).then(JSON.stringify, errorText),
      JSON.stringify({
        activities: raw.pendingActivities,
        workflowTask: raw.pendingWorkflowTask,
        events: raw.workflowExecutionInfo?.historyLength,
      }),
      ...this.seat.worker.logOf(this.name).slice(-40),
    ].join('\n');
  }

  /** Waits for the server's list of runs, which lags behind. */
  private async isListed(count: number): Promise<void> {
    await eventually(async () => {
      const found = await this.stage.client.workflow.count(`WorkflowType = "${this.name}" AND ExecutionStatus != "Running"`);
      assert.equal(found.count, count, `runs of ${this.name} in the list`);
    }, PATIENCE_MS);
  }

  private async rowsOfTable(): Promise<Row[]> {
    const rows = await this.stage.warehouse.rows<{ id: number; at: Date; region: Row['region']; v: number }>(
      `SELECT id, at, region, v FROM ${this.name}`,
    );
    return rows.map(({ id, at, region, v }) => {
      const quarter = Array.from({ length: 8 }, (_, each) => each).find((each) => timeOf({ quarter: each }) === at.getTime());
      return { id, quarter: quarter ?? -1, region, v };
    });
  }
}

function usesKafka({ kafka, steps }: History): boolean {
  const isEvent = (step: Step): boolean =>
    step.kind === 'both' ? step.starts.some(({ kind }) => kind === 'event') : step.kind === 'event';
  return kafka && steps.some(isEvent);
}

function isAsIn(world: World, { name, state }: Ending): boolean {
  return world.runs.findLast((run) => run.name === name)?.state === state;
}

function sameRows(expected: readonly Row[], seen: readonly Row[]): boolean {
  const texts = (rows: readonly Row[]): string =>
    rows
      .map(({ id, quarter, region, v }) => `${id} ${quarter} ${region} ${v}`)
      .sort()
      .join('\n');
  return texts(expected) === texts(seen);
}
