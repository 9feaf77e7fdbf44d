import type { Json, JsonObject } from '../workflows/plan/json.ts';
import type { Plan } from '../workflows/plan/plan.ts';
import type { RunEvent, SensorReport, StartClaim } from '../workflows/plan/trigger.ts';

/** A run that an event asks for. */
export interface WantedRun {
  readonly plan: Plan;
  /** The kind of trigger. */
  readonly cause: string;
  /** What tells it from all other runs of its pipeline with this cause. */
  readonly id: string;
  readonly params: JsonObject;
  readonly event: RunEvent;
}

/** What sensors ask of Temporal. */
export interface RunStarts {
  /**
   * Starts a run. Resolves when the server has it, or had it before.
   * @throws whatever the connection throws; asking again is safe
   */
  start(run: WantedRun): Promise<'started' | 'known'>;
  /** The workflow id that `run` gets. */
  idOf(run: Pick<WantedRun, 'plan' | 'cause' | 'id'>): string;
  /** The runs of a pipeline with this cause that have not ended, by workflow id. */
  open(dagId: string, cause: string): Promise<string[]>;
  /** Those of `runs` that have not ended. */
  stillOpen(runs: readonly string[]): Promise<string[]>;
  /** Tells a sensor's workflow how its consumer stands. */
  report(sensorId: string, report: SensorReport): Promise<void>;
  /**
   * Asks for the right to start a run under `mode: cooldown`; asking again for the same run is answered the same.
   * @returns undefined: it may start; else until when, in the time of the events (ISO 8601), none is started
   */
  claim(sensorId: string, claim: StartClaim): Promise<string | undefined>;
}

export type Cursor = Json | undefined;
