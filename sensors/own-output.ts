import type { Json } from '../workflows/plan/json.ts';
import { isMap } from '../workflows/plan/json.ts';
import { allTasks, type Plan } from '../workflows/plan/plan.ts';
import type { RunEvent } from '../workflows/plan/trigger.ts';
import { stopped } from './sensor-stopped.ts';

/** So many runs of a pipeline may be started within a minute by what its own runs have made. */
const MOST_IN_A_MINUTE = 10;
const MINUTE_MS = 60_000;

/** Where the event of a trigger says which run has made it. */
const MADE_BY: Readonly<Record<string, (event: RunEvent, plan: Plan) => boolean>> = {
  kafka: ({ meta }, plan) => isByHeader(meta.headers, plan),
  rabbitmq: ({ meta }, plan) => isByHeader(meta.headers, plan),
  pipeline: ({ value }, plan) => isMap(value) && isById(value.run_id, plan),
  dataset: ({ value }, plan) =>
    isMap(value) &&
    Array.isArray(value.updates) &&
    (value.updates as readonly Json[]).some((update) => isMap(update) && isById(update.run_id, plan)),
  s3: ({ value }, plan) =>
    isMap(value) && foldersOf(plan).some((folder) => `${String(value.bucket)}/${String(value.key)}`.startsWith(folder)),
};

/** Ids of tasks' effects begin with that of the run, and this with the pipeline's. */
function isByHeader(headers: Json | undefined, { dagId }: Plan): boolean {
  const key = isMap(headers) ? headers['idempotency-key'] : undefined;
  return typeof key === 'string' && key.startsWith(`${dagId}/`);
}

/** The id of a run that another has started, by a trigger, names that one. */
function isById(run: Json | undefined, { dagId }: Plan): boolean {
  const parts = typeof run === 'string' ? run.split('/') : [];
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

/** Counts the runs that a trigger starts from what its pipeline's own runs have made, and stops one that does nothing else. */
export class OwnOutput {
  private readonly times: number[] = [];
  private turn: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly plan: Plan,
    private readonly triggerType: string,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /**
   * Starts a run for an event. Those that come of own output start one after the other; one that was there already does not count: a sensor
   * that begins anew meets its events again.
   * @throws ApplicationFailure `SensorStopped` in place of one run too many in a minute; the event is there when the sensor is resumed
   */
  async guard(event: RunEvent, run: string, start: () => Promise<'started' | 'known'>): Promise<'started' | 'known'> {
    if (MADE_BY[this.triggerType]?.(event, this.plan) !== true) return start();
    const turn = this.turn.then(async () => {
      this.check(run);
      const outcome = await start();
      if (outcome === 'started') this.times.push(this.now());
      return outcome;
    });
    this.turn = turn.catch(() => undefined);
    return turn;
  }

  private check(run: string): void {
    const now = this.now();
    while (this.times[0] !== undefined && this.times[0] <= now - MINUTE_MS) this.times.shift();
    if (this.times.length < MOST_IN_A_MINUTE) return;
    throw stopped(
      `The pipeline starts itself: what its own runs have made has started ${MOST_IN_A_MINUTE} runs within a minute, and would start ${run}. ` +
        'Watch a place that it does not write to, or add a condition in `when`; then `sluice sensors resume` goes on with this event.',
    );
  }
}
