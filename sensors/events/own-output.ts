import { isMap } from '../../workflows/plan/values/json.ts';
import { allTasks, type Plan } from '../../workflows/plan/plan.ts';
import { dagIdOf, nameOfRun, type PipelineName } from '../../workflows/plan/ids.ts';
import type { RunEvent } from '../../workflows/plan/trigger.ts';
import { idempotencyKeyOf, makersOf } from './event-makers.ts';
import type { RunOrigin } from '../run/run-starts.ts';
import { stopped } from '../run/sensor-stopped.ts';

/** How many runs per minute a pipeline may start from the output of its own runs. */
const MOST_IN_A_MINUTE = 10;
const MINUTE_MS = 60_000;
/** Minimum time between lookups of the origin of events from other pipelines: each lookup costs requests to Temporal. */
const LOOK_UP_EVERY_MS = 500;
/** How many steps of a loop are followed from run to run, and how many runs per step. */
const MOST_STEPS = 8;
const MOST_AT_A_STEP = 5;

/** Detects events that a run of this pipeline produced, from the event alone. */
const MADE_BY: Readonly<Record<string, (event: RunEvent, name: PipelineName, plan: Plan) => boolean>> = {
  kafka: isByKey,
  rabbitmq: isByKey,
  pipeline: (event, name) => makersOf('pipeline', event).some((run) => isById(run, name)),
  dataset: (event, name) => makersOf('dataset', event).some((run) => isById(run, name)),
  s3: ({ value }, _name, plan) =>
    isMap(value) && foldersOf(plan).some((folder) => `${String(value.bucket)}/${String(value.key)}`.startsWith(folder)),
};

/** The ids of tasks' effects start with the run id, which starts with the pipeline's. */
function isByKey({ meta }: RunEvent, name: PipelineName): boolean {
  return idempotencyKeyOf(meta)?.startsWith(`${name}/`) === true;
}

/** The id of a run that was triggered by another run contains that run's id. */
function isById(run: string, name: PipelineName): boolean {
  const parts = run.split('/');
  return parts.some((part, at) => part === name && (at === 0 || ['pipeline', 'dataset'].includes(parts[at - 1] ?? '')));
}

/** `bucket/dag/task/` for each task that writes a dataset. */
function foldersOf(plan: Plan): string[] {
  return allTasks(plan).flatMap(({ outputBase, params }) => {
    const named = typeof params.s3_key === 'string' ? params.s3_key.split('{{')[0] : undefined;
    if (outputBase === undefined) return [];
    const [bucket = ''] = outputBase.replace(/^s3:\/\//, '').split('/');
    return [named === undefined || named === '' ? `${outputBase.replace(/^s3:\/\//, '')}/` : `${bucket}/${named}`];
  });
}

/** Looks up the origins of runs and objects. */
export interface Origins {
  startedBy?(run: string): Promise<RunOrigin | undefined>;
  /**
   * The run that wrote the object of an event.
   * @param connId the trigger's connection; undefined: the default
   */
  writerOf?(event: RunEvent, connId: string | undefined): Promise<string | undefined>;
}

/**
 * Limits the runs that a trigger starts from the output of its own pipeline, and stops one that starts itself endlessly. The loop may
 * lead through other pipelines: some events are traced back to the runs that caused them.
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
    private readonly name: PipelineName = plan.dagId,
  ) {}

  /**
   * Starts a run for an event. Runs caused by own output start one by one; runs that already existed do not count, because a restarted
   * sensor reads its events again.
   * @param connId the trigger's connection; undefined: the default
   * @throws ApplicationFailure `SensorStopped` instead of exceeding the limit; the event is still there when the sensor is resumed
   */
  async guard(event: RunEvent, run: string, start: () => Promise<'started' | 'known'>, connId?: string): Promise<'started' | 'known'> {
    const isOwn = MADE_BY[this.triggerType]?.(event, this.name, this.plan) === true;
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
   * Traces an event back to a run of this pipeline.
   * @returns the pipelines in between; undefined if there is no such run, or it was not looked up
   */
  private async findCircle(event: RunEvent, connId: string | undefined): Promise<readonly string[] | undefined> {
    const mayHaveMaker = this.triggerType === 's3' || makersOf(this.triggerType, event).length > 0;
    if (!mayHaveMaker || this.now() - this.lookedUpAt < LOOK_UP_EVERY_MS) return undefined;
    this.lookedUpAt = this.now();
    try {
      const through: string[] = [];
      let makers = await this.makersOf(this.triggerType, event, connId);
      for (let step = 0; step < MOST_STEPS && makers.length > 0; step++) {
        if (makers.some((run) => isById(run, this.name))) return through;
        through.push(...new Set(makers.map((run) => dagIdOf(nameOfRun(run))).filter((dagId) => !through.includes(dagId))));
        makers = (await Promise.all(makers.slice(0, MOST_AT_A_STEP).map((run) => this.makersOfRun(run)))).flat();
      }
      return undefined;
    } catch {
      // Do not block the run for a lookup that matters only in a loop; the next event tries again.
      return undefined;
    }
  }

  private async makersOf(type: string, event: RunEvent, connId: string | undefined): Promise<readonly string[]> {
    if (type !== 's3') return makersOf(type, event);
    const writer = await this.origins.writerOf?.(event, connId);
    return writer === undefined ? [] : [writer];
  }

  /** The runs behind the event that started a run, or the parent run that waits for it. */
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
