import { setTimeout as delay } from 'node:timers/promises';
import type { Plan } from '../../workflows/plan/plan.ts';
import { type RunEvent, type StartRefused, type TemporalRefused, type TriggerPlan } from '../../workflows/plan/trigger.ts';
import type { QuietTime, StartClaim } from '../../workflows/plan/sensor.ts';
import { type EventId, sourceId } from './event-id.ts';
import type { EventMatch } from './event-matcher.ts';
import { type Origins, OwnOutput } from './own-output.ts';
import type { EndedRun, EndedRuns, RunStarts, RunRequest } from '../run/run-starts.ts';
import type { SensorJournal } from '../run/sensor-journal.ts';
import { errorText } from '../../workflows/plan/values/error-text.ts';

/** A server that does not answer is asked again after this many milliseconds, then after ever more. */
const FIRST_WAIT = 200;
const LONGEST_WAIT = 5_000;
/** How often runs in flight are looked at, in milliseconds, while there is no room for another. */
const POLL_INTERVAL_MS = 500;
/** A quiet time whose end by the clock is not known is asked about again after this many milliseconds. */
const ASK_AGAIN = 1_000;

/** A quiet time, and the claim that has met it. */
type KnownQuiet = QuietTime & { readonly from: string; readonly askedAt: string };

/** Starts the runs that events ask for: each once, as many at a time as the trigger allows, and through outages of the server. */
export class EventRuns {
  /** Runs that have begun and were not seen to end; and those that are about to begin. */
  private readonly open = new Set<string>();
  private readonly starting = new Set<string>();
  private counted: Promise<void> | undefined;
  private quiet: KnownQuiet | undefined;
  private granted: string | undefined;
  private claims: Promise<unknown> = Promise.resolve();
  private looking: Promise<void> | undefined;
  private readonly ownOutput: OwnOutput;

  constructor(
    private readonly plan: Plan,
    private readonly trigger: TriggerPlan,
    private readonly sensorId: string,
    private readonly starts: RunStarts,
    private readonly journal: SensorJournal,
    private readonly signal: AbortSignal,
    writerOf?: Origins['writerOf'],
  ) {
    this.ownOutput = new OwnOutput(plan, trigger.type, {
      startedBy: (run) => starts.startedBy?.(run) ?? Promise.resolve(undefined),
      writerOf: writerOf ?? (() => Promise.resolve(undefined)),
    });
  }

  /**
   * Resolves when the server has the run.
   * @param id what tells the event from all others, where the trigger has no deduplication key
   * @param more `upTo`: how far the event reaches, where it stands for several; `interval`: the data interval of the run;
   * `formerNames`: what older releases called the event
   * @returns how far the run reaches that was there already, when it said so
   * @throws StartRefused when Temporal takes no such run: the event is invalid
   * @throws ApplicationFailure `SensorStopped` when the pipeline starts itself over and over
   * @throws the signal's reason when it is aborted first; the event is then to be offered again
   */
  async start(
    event: RunEvent,
    { params, id: key, former }: EventMatch & { kind: 'run' },
    id: string,
    { formerNames, ...more }: Pick<RunRequest, 'upTo' | 'interval'> & { readonly formerNames?: readonly string[] } = {},
  ): Promise<string | undefined> {
    const { mode, maxInFlight, type: cause } = this.trigger;
    const known: EventId = key === undefined ? sourceId(id, formerNames) : { id: key, ...(former && { former }) };
    const wanted: RunRequest = { plan: this.plan, cause, trigger: this.trigger.name, ...known, params, event, ...more };
    if (mode.kind === 'cooldown') {
      // One after the other: the order of the events decides who starts.
      const claimed = this.claims.then(() => this.claim({ id: wanted.id, at: event.meta.timestamp, askedAt: new Date().toISOString() }));
      this.claims = claimed.catch(() => undefined);
      if (!(await claimed)) {
        this.journal.count('quiet');
        return undefined;
      }
    }
    const run = this.starts.idOf(wanted);
    if (maxInFlight !== undefined) await this.room(wanted, maxInFlight);
    const begin = (): Promise<'started' | 'known'> => this.insist(() => this.starts.start(wanted));
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

  /** The ids of the newest runs that this trigger, or another of its kind, has started. */
  recent(): Promise<string[]> {
    return this.starts.recent(this.plan.dagId, this.trigger.type);
  }

  /** Whether there is a run of this pipeline and kind of trigger whose id begins so. */
  hasAny(prefix: string): Promise<boolean> {
    const { plan, trigger, starts } = this;
    return this.insist(() => starts.hasAny?.({ plan, cause: trigger.type, id: prefix }) ?? Promise.resolve(false));
  }

  /** How far the event of a run of this trigger reaches; undefined when there is no such run. */
  upTo(id: string): Promise<string | undefined> {
    return this.starts.upTo(this.starts.idOf({ plan: this.plan, cause: this.trigger.type, id: sourceId(id).id }));
  }

  ended(which: EndedRuns, since: string): Promise<EndedRun[]> {
    return this.starts.ended(which, since);
  }

  /** @returns whether the run may start */
  private async claim(claim: Required<StartClaim>): Promise<boolean> {
    // Within the quiet time that it knows of it need not ask.
    if (claim.id !== this.granted && this.quiet && isWithin(this.quiet, claim)) return false;
    const quiet = await this.insist(() => this.starts.claim(this.sensorId, claim));
    if (quiet === undefined) this.granted = claim.id;
    else this.quiet = { from: claim.at, askedAt: claim.askedAt, ...quiet };
    return quiet === undefined;
  }

  /** Waits until fewer runs than allowed are in flight, and takes a place for this one. */
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

  /** Asks until there is an answer. @throws StartRefused, the signal's reason */
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

/** Whether a claim is answered as the one before, by which a quiet time became known. */
function isWithin({ from, askedAt, until, untilAsked }: KnownQuiet, claim: Required<StartClaim>): boolean {
  const at = Date.parse(claim.at);
  const lastAsked = untilAsked === undefined ? Date.parse(askedAt) + ASK_AGAIN : Date.parse(untilAsked);
  return Date.parse(from) <= at && at < Date.parse(until) && Date.parse(claim.askedAt) < lastAsked;
}

/** For the failure of `EventRuns.start`: does something about an event that Temporal refuses. Anything else stays a failure. */
export function ifRefused<T>(reject: (reason: string) => T): (error: unknown) => T {
  return (error) => {
    if (isNamed(error, 'StartRefused')) return reject(error.message);
    throw error;
  };
}

/** By name, not by class: sensors are loaded when they are needed, and a loader may then have a class twice. */
function isNamed(error: unknown, name: (StartRefused | TemporalRefused)['name']): error is Error {
  return error instanceof Error && error.name === name;
}
