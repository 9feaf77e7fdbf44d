import type { Client } from '@temporalio/client';
import { RecentMap } from '../../lib/recent-map.ts';
import type { WatchedRun } from '../../monitors/watched.ts';
import type { Plan } from '../../workflows/plan/plan.ts';
import { SEARCH_ATTRIBUTES } from '../../workflows/plan/runs/search-attributes.ts';
import type { RunIndex } from './run-index.ts';

/** So many answers are remembered; another is asked for again. */
const MAX_ASKED = 20_000;

/** When things were done last, however long ago: pipelines, and data sets. The server is asked once for each, and only for what promises are about. */
export class LastEnds {
  /** By the search attribute and its value; 0: never, as far as the server knows. Milliseconds. */
  private readonly asked = new RecentMap<number>(MAX_ASKED);

  constructor(
    private readonly client: Client,
    private readonly runs: RunIndex,
  ) {}

  /** When a pipeline has last succeeded, milliseconds. @param runs those of its runs that are known */
  async success({ dagId, slas = [], critical, alerts }: Plan, runs: readonly WatchedRun[]): Promise<number | undefined> {
    if (slas.length === 0 && !critical && !alerts) return undefined;
    const ends = runs.flatMap(({ state, endedAt }) => (state === 'success' && endedAt !== undefined ? [endedAt] : []));
    return this.latest('pipeline', dagId, Math.max(0, ...ends));
  }

  /** When the data sets that a plan promises something of were last made, by URI. */
  async updates({ slas = [] }: Plan): Promise<ReadonlyMap<string, number>> {
    const found = new Map<string, number>();
    for (const { dataset } of slas) {
      if (dataset === undefined) continue;
      const last = await this.latest('datasets', dataset, this.runs.lastUpdate(dataset) ?? 0);
      if (last !== undefined) found.set(dataset, last);
    }
    return found;
  }

  /** @param known the last end among the runs that are known; 0: none */
  private async latest(by: 'pipeline' | 'datasets', value: string, known: number): Promise<number | undefined> {
    const key = `${by} ${value}`;
    const before = this.asked.get(key) ?? (known > 0 ? 0 : await this.ask(by, value));
    const last = Math.max(before, known);
    this.asked.set(key, last);
    return last === 0 ? undefined : last;
  }

  private async ask(by: 'pipeline' | 'datasets', value: string): Promise<number> {
    const query = `${SEARCH_ATTRIBUTES[by].name} = ${JSON.stringify(value)} AND ExecutionStatus = "Completed"`;
    // Lists begin with what has ended last.
    for await (const { closeTime } of this.client.workflow.list({ query, pageSize: 1 })) return closeTime?.getTime() ?? 0;
    return 0;
  }
}
