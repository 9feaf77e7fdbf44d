import { isMap } from '../../workflows/plan/values/json.ts';
import { allTasks, type Plan } from '../../workflows/plan/plan.ts';
import type { RunEvent } from '../../workflows/plan/trigger.ts';
import { idempotencyKeyOf, makersOf } from './event-makers.ts';
import type { RunOrigin } from '../run/run-starts.ts';
import { stopped } from '../run/sensor-stopped.ts';

/** So many runs of a pipeline may be started within a minute by what its own runs have made. */
const MOST_IN_A_MINUTE = 10;
const MINUTE_MS = 60_000;
/** The runs behind an event that other pipelines have made are looked up so often at most: each costs requests to Temporal. */
const LOOK_UP_EVERY_MS = 500;
/** How many runs a circle is followed through, one started by what another has made, and how many at each step. */
const MOST_STEPS = 8;
const MOST_AT_A_STEP = 5;

/** Where the event of a trigger says by itself that a run of this pipeline has made it. */
const MADE_BY: Readonly<Record<string, (event: RunEvent, plan: Plan) => boolean>> = {
  kafka: isByKey,
  rabbitmq: isByKey,
  pipeline: (event, plan) => makersOf('pipeline', event).some((run) => isById(run, plan)),
  dataset: (event, plan) => makersOf('dataset', event).some((run) => isById(run, plan)),
  s3: ({ value }, plan) =>
    isMap(value) && foldersOf(plan).some((folder) => `${String(value.bucket)}/${String(value.key)}`.startsWith(folder)),
};

/** Ids of tasks' effects begin with that of the run, and this with the pipeline's. */
function isByKey({ meta }: RunEvent, { dagId }: Plan): boolean {
  return idempotencyKeyOf(meta)?.startsWith(`${dagId}/`) === true;
}

/** The id of a run that another has started, by a trigger, names that one. */
function isById(run: string, { dagId }: Plan): boolean {
  const parts = run.split('/');
  return parts.some((part, at) => part === dagId && (at === 0 || ['pipeline', 'dataset'].includes(parts[at - 1] ?? '')));
}

/** `bucket/dag/task/`, for each task that writes a data set. */
function foldersOf(plan: Plan): string[] {
  return allTasks(plan).flatMap(({ outputBase, params }) => {
    const named = typeof params.s3_key === 'string' ? params.s3_key.split('{{')[0] : undefined;
    if (outputBase === undefined) return [];
    const [bucket = ''] = outputBase.replace(/^s3:\/\//, '').split('/');
    return [named === undefined || named === '' ? `${outputBase.replace(/^s3:\/\//, '')}/` : `${bucket}/${named}`];
  });
}

/** What can be found out about runs and objects. */
export interface Origins {
  startedBy?(run: string): Promise<RunOrigin | undefined>;
  /**
   * The run that has written the object of an event.
   * @param connId the connection of the trigger; undefined: the usual one
   */
  writerOf?(event: RunEvent, connId: string | undefined): Promise<string | undefined>;
}

/**
 * Counts the runs that a trigger starts from what its pipeline's own runs have made, and stops one that does nothing else. Own runs may stand
 * behind those of another pipeline that have made an event: of events that runs have made, some are followed back to what started those runs.
 */
export class OwnOutput {
  private readonly times: number[] = [];
  private turn: Promise<unknown> = Promise.resolve();
  private lookedUpAt = -Infinity;

  constructor(
    private readonly plan: Plan,
    private readonly triggerType: string,
    private readonly origins: Origins = {},
    private readonly now: () => number = () => performance.now(),
  ) {}

  /**
   * Starts a run for an event. Those that come of own output start one after the other; one that was there already does not count: a sensor
   * that begins anew meets its events again.
   * @param connId the connection of the trigger; undefined: the usual one
   * @throws ApplicationFailure `SensorStopped` in place of one run too many in a minute; the event is there when the sensor is resumed
   */
  async guard(event: RunEvent, run: string, start: () => Promise<'started' | 'known'>, connId?: string): Promise<'started' | 'known'> {
    const isOwn = MADE_BY[this.triggerType]?.(event, this.plan) === true;
    const through = isOwn ? [] : await this.findCircle(event, connId);
    if (!through) return start();
    const turn = this.turn.then(async () => {
      this.check(run, through);
      const outcome = await start();
      if (outcome === 'started') this.times.push(this.now());
      return outcome;
    });
    this.turn = turn.catch(() => undefined);
    return turn;
  }

  /**
   * Follows an event back to a run of this pipeline.
   * @returns the pipelines in between; undefined where there is no such run, or it was not looked for
   */
  private async findCircle(event: RunEvent, connId: string | undefined): Promise<readonly string[] | undefined> {
    const mayHaveMaker = this.triggerType === 's3' || makersOf(this.triggerType, event).length > 0;
    if (!mayHaveMaker || this.now() - this.lookedUpAt < LOOK_UP_EVERY_MS) return undefined;
    this.lookedUpAt = this.now();
    try {
      const through: string[] = [];
      let makers = await this.makersOf(this.triggerType, event, connId);
      for (let step = 0; step < MOST_STEPS && makers.length > 0; step++) {
        if (makers.some((run) => isById(run, this.plan))) return through;
        through.push(...new Set(makers.map((run) => run.slice(0, run.indexOf('/'))).filter((dagId) => !through.includes(dagId))));
        makers = (await Promise.all(makers.slice(0, MOST_AT_A_STEP).map((run) => this.makersOfRun(run)))).flat();
      }
      return undefined;
    } catch {
      // The run is not kept waiting for an answer that only matters when there are many; the next event asks again.
      return undefined;
    }
  }

  private async makersOf(type: string, event: RunEvent, connId: string | undefined): Promise<readonly string[]> {
    if (type !== 's3') return makersOf(type, event);
    const writer = await this.origins.writerOf?.(event, connId);
    return writer === undefined ? [] : [writer];
  }

  /** The runs that have made the event that started a run, or the run that waits for it. */
  private async makersOfRun(run: string): Promise<readonly string[]> {
    const origin = await this.origins.startedBy?.(run);
    if (origin?.parent !== undefined) return [origin.parent];
    return origin?.event === undefined ? [] : this.makersOf(origin.cause, origin.event, origin.connId);
  }

  private check(run: string, through: readonly string[]): void {
    const now = this.now();
    while (this.times[0] !== undefined && this.times[0] <= now - MINUTE_MS) this.times.shift();
    if (this.times.length < MOST_IN_A_MINUTE) return;
    const way = through.length === 0 ? '' : ` through ${through.map((dagId) => `'${dagId}'`).join(', ')}`;
    throw stopped(
      `The pipeline starts itself${way}: what its own runs have made has started ${MOST_IN_A_MINUTE} runs within a minute, and would start ${run}. ` +
        'Watch a place that it does not write to, or add a condition in `when`; then `sluice sensors resume` continues with this event.',
    );
  }
}
