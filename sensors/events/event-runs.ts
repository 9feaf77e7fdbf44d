import { setTimeout as delay } from 'node:timers/promises';
import { nameOfSensor, type PipelineName } from '../../workflows/plan/ids.ts';
import type { Plan } from '../../workflows/plan/plan.ts';
import { type RunEvent, type StartRefused, type TemporalRefused, type TriggerPlan } from '../../workflows/plan/trigger.ts';
import type { QuietTime, StartClaim } from '../../workflows/plan/sensor.ts';
import { type EventId, sourceId } from './event-id.ts';
import type { EventMatch } from './event-matcher.ts';
import { type Origins, OwnOutput } from './own-output.ts';
import type { EndedRun, EndedRuns, RunStarts, RunRequest } from '../run/run-starts.ts';
import type { SensorJournal } from '../run/sensor-journal.ts';
import { errorText } from '../../workflows/plan/values/error-text.ts';

/** First delay before a retry to a server that does not answer, in milliseconds; it doubles up to the maximum. */
const FIRST_WAIT = 200;
const LONGEST_WAIT = 5_000;
/** How often runs in flight are checked while `max_in_flight` is reached, in milliseconds. */
const POLL_INTERVAL_MS = 500;
/** When to ask again about a quiet time without a known end, in milliseconds. */
const ASK_AGAIN = 1_000;

/** A quiet time, and the claim that revealed it. */
type KnownQuiet = QuietTime & { readonly from: string; readonly askedAt: string };

/** Starts the runs for events: each exactly once, within the trigger's concurrency limit, and across server outages. */
export class EventRuns {
  /** Runs that have started and were not seen to end; and runs that are about to start. */
  private readonly open = new Set<string>();
  private readonly starting = new Set<string>();
  private counted: Promise<void> | undefined;
  private quiet: KnownQuiet | undefined;
  private granted: string | undefined;
  private claims: Promise<unknown> = Promise.resolve();
  private looking: Promise<void> | undefined;
  private readonly ownOutput: OwnOutput;
  /** Of the pipeline: its sensor's id has it. */
  private readonly name: PipelineName;

  constructor(
    private readonly plan: Plan,
    private readonly trigger: TriggerPlan,
    private readonly sensorId: string,
    private readonly starts: RunStarts,
    private readonly journal: SensorJournal,
    private readonly signal: AbortSignal,
    writerOf?: Origins['writerOf'],
  ) {
    this.name = nameOfSensor(sensorId, plan.dagId);
    const origins: Origins = {
      startedBy: (run) => starts.startedBy?.(run) ?? Promise.resolve(undefined),
      writerOf: writerOf ?? (() => Promise.resolve(undefined)),
    };
    this.ownOutput = new OwnOutput(plan, trigger.type, origins, undefined, this.name);
  }

  /**
   * Resolves when the server has the run.
   * @param id identifies the event, if the trigger has no deduplication key
   * @param more `upTo`: the last event covered, if the run covers several; `interval`: the data interval of the run;
   * `formerNames`: the event's names in older releases
   * @returns the `upTo` of a run that already existed, if it recorded one
   * @throws StartRefused when Temporal refuses such a run: the event is invalid
   * @throws ApplicationFailure `SensorStopped` when the pipeline keeps starting itself
   * @throws the signal's reason when it is aborted first; the event must then be offered again
   */
  async start(
    event: RunEvent,
    { params, id: key, former }: EventMatch & { kind: 'run' },
    id: string,
    { formerNames, ...more }: Pick<RunRequest, 'upTo' | 'interval'> & { readonly formerNames?: readonly string[] } = {},
  ): Promise<string | undefined> {
    const { mode, maxInFlight, type: cause } = this.trigger;
    const known: EventId = key === undefined ? sourceId(id, formerNames) : { id: key, ...(former && { former }) };
    const request: RunRequest = { plan: this.plan, name: this.name, cause, trigger: this.trigger.name, ...known, params, event, ...more };
    if (mode.kind === 'cooldown') {
      // Claims run one by one, because the order of events decides which one starts.
      const claimed = this.claims.then(() => this.claim({ id: request.id, at: event.meta.timestamp, askedAt: new Date().toISOString() }));
      this.claims = claimed.catch(() => undefined);
      if (!(await claimed)) {
        this.journal.count('quiet');
        return undefined;
      }
    }
    const run = this.starts.idOf(request);
    if (maxInFlight !== undefined) await this.room(request, maxInFlight);
    const begin = (): Promise<'started' | 'known'> => this.insist(() => this.starts.start(request));
    const connId = this.trigger.source.conn_id;
    const outcome = await this.ownOutput
      .guard(event, run, begin, typeof connId === 'string' ? connId : undefined)
      .catch((error: unknown) => {
        this.starting.delete(run);
        throw error;
      });
    if (this.starting.delete(run)) this.open.add(run);
    this.journal.count(outcome);
    if (outcome === 'started') this.journal.started(run);
    return more.upTo !== undefined && outcome === 'known' ? this.insist(() => this.starts.upTo(run)) : undefined;
  }

  /** The ids of the newest runs started by triggers of this type. */
  recent(): Promise<string[]> {
    return this.starts.recent(this.name, this.trigger.type);
  }

  /** Whether this pipeline and trigger type have a run whose id starts with the prefix. */
  hasAny(prefix: string): Promise<boolean> {
    const { plan, name, trigger, starts } = this;
    return this.insist(() => starts.hasAny?.({ plan, name, cause: trigger.type, id: prefix }) ?? Promise.resolve(false));
  }

  /** The `upTo` of a run of this trigger; undefined if there is no such run. */
  upTo(id: string): Promise<string | undefined> {
    return this.starts.upTo(this.starts.idOf({ plan: this.plan, name: this.name, cause: this.trigger.type, id: sourceId(id).id }));
  }

  ended(which: EndedRuns, since: string): Promise<EndedRun[]> {
    return this.starts.ended(which, since);
  }

  /** @returns whether the run may start */
  private async claim(claim: Required<StartClaim>): Promise<boolean> {
    // Within the known quiet time there is no need to ask.
    if (claim.id !== this.granted && this.quiet && isWithin(this.quiet, claim)) return false;
    const quiet = await this.insist(() => this.starts.claim(this.sensorId, claim));
    if (quiet === undefined) this.granted = claim.id;
    else this.quiet = { from: claim.at, askedAt: claim.askedAt, ...quiet };
    return quiet === undefined;
  }

  /** Waits until fewer runs than allowed are in flight, and reserves a slot for this one. */
  private async room(run: RunRequest, limit: number): Promise<void> {
    this.counted ??= this.insist(() => this.starts.open(this.plan.dagId, this.trigger.type)).then((runs) => {
      for (const each of runs) this.open.add(each);
    });
    await this.counted;
    const id = this.starts.idOf(run);
    const has = (): boolean => this.open.has(id) || this.starting.has(id);
    while (!has() && this.open.size + this.starting.size >= limit) {
      this.journal.obstacle = `${this.open.size + this.starting.size} runs are in flight: max_in_flight`;
      this.looking ??= this.look().finally(() => (this.looking = undefined));
      await this.looking;
    }
    this.journal.obstacle = undefined;
    if (!has()) this.starting.add(id);
  }

  private async look(): Promise<void> {
    await delay(POLL_INTERVAL_MS, undefined, { signal: this.signal });
    const before = [...this.open];
    const open = new Set(await this.insist(() => this.starts.stillOpen(before)));
    for (const each of before) if (!open.has(each)) this.open.delete(each);
  }

  /** Retries until there is an answer. @throws StartRefused, the signal's reason */
  private async insist<T>(ask: () => Promise<T>): Promise<T> {
    for (let wait = FIRST_WAIT; ; wait = Math.min(wait * 2, LONGEST_WAIT)) {
      this.signal.throwIfAborted();
      try {
        const answer = await ask();
        if (wait > FIRST_WAIT) this.journal.obstacle = undefined;
        return answer;
      } catch (error) {
        if (isNamed(error, 'StartRefused')) {
          this.journal.obstacle = undefined;
          throw error;
        }
        const words = errorText(error);
        this.journal.obstacle = isNamed(error, 'TemporalRefused') ? words : `Temporal does not answer: ${words}`;
      }
      await delay(wait, undefined, { signal: this.signal });
    }
  }
}

/** Whether the known quiet time also covers this claim. */
function isWithin({ from, askedAt, until, untilAsked }: KnownQuiet, claim: Required<StartClaim>): boolean {
  const at = Date.parse(claim.at);
  const lastAsked = untilAsked === undefined ? Date.parse(askedAt) + ASK_AGAIN : Date.parse(untilAsked);
  return Date.parse(from) <= at && at < Date.parse(until) && Date.parse(claim.askedAt) < lastAsked;
}

/** For errors of `EventRuns.start`: calls `reject` for an event that Temporal refuses, and rethrows any other error. */
export function ifRefused<T>(reject: (reason: string) => T): (error: unknown) => T {
  return (error) => {
    if (isNamed(error, 'StartRefused')) return reject(error.message);
    throw error;
  };
}

/** Compares by name and not by class: sensors are loaded on demand, and the loader may then load a class twice. */
function isNamed(error: unknown, name: (StartRefused | TemporalRefused)['name']): error is Error {
  return error instanceof Error && error.name === name;
}
