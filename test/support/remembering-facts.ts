import { TemporalFacts } from '../../temporal/monitors/monitor-facts.ts';
import type { Observation } from '../../workflows/plan/incidents/incident.ts';

/** Facts of a deployment with answering workers; records incidents instead of notifying channels. */
export class RememberingFacts extends TemporalFacts {
  readonly told: string[] = [];

  override workersAnswer(): Promise<boolean> {
    return Promise.resolve(true);
  }

  override observe(incident: string, { state }: Observation): Promise<undefined> {
    this.told.push(`${state} ${incident}`);
    return Promise.resolve(undefined);
  }
}
