import type { Client } from '@temporalio/client';
import { RecentMap } from '../../lib/recent-map.ts';
import type { WatchedRun } from '../../monitors/watched.ts';
import type { Plan } from '../../workflows/plan/plan.ts';
import { SEARCH_ATTRIBUTES } from '../../workflows/plan/runs/search-attributes.ts';
import { ofDeployment } from '../names.ts';
import type { RunIndex } from './run-index.ts';

/** Maximum number of cached answers. */
const MAX_ASKED = 20_000;

/**
 * Caches when pipelines and datasets were last updated, at any time in the past. The server is queried once for each, and only for SLAs.
 */
export class LastEnds {
  /** Milliseconds by search attribute and value; 0: never, according to the server. */
  private readonly asked = new RecentMap<number>(MAX_ASKED);

  constructor(
    private readonly client: Client,
    private readonly runs: RunIndex,
    /** Of the deployment whose runs count. */
    private readonly taskQueue: string,
  ) {}

  /** When a pipeline last succeeded, milliseconds. @param runs the known runs of the pipeline */
  async success({ dagId, slas = [], critical, alerts }: Plan, runs: readonly WatchedRun[]): Promise<number | undefined> {
    if (slas.length === 0 && !critical && !alerts) return undefined;
    const ends = runs.flatMap(({ state, endedAt }) => (state === 'success' && endedAt !== undefined ? [endedAt] : []));
    return this.latest('pipeline', dagId, Math.max(0, ...ends));
  }

  /** When the datasets with SLAs in a plan were last updated, by URI. */
  async updates({ slas = [] }: Plan): Promise<ReadonlyMap<string, number>> {
    const found = new Map<string, number>();
    for (const { dataset } of slas) {
      if (dataset === undefined) continue;
      const last = await this.latest('datasets', dataset, this.runs.lastUpdate(dataset) ?? 0);
      if (last !== undefined) found.set(dataset, last);
    }
    return found;
  }

  /** @param known the latest end among known runs; 0: none */
  private async latest(by: 'pipeline' | 'datasets', value: string, known: number): Promise<number | undefined> {
    const key = `${by} ${value}`;
    const before = this.asked.get(key) ?? (known > 0 ? 0 : await this.ask(by, value));
    const last = Math.max(before, known);
    this.asked.set(key, last);
    return last === 0 ? undefined : last;
  }

  private async ask(by: 'pipeline' | 'datasets', value: string): Promise<number> {
    const query = `${SEARCH_ATTRIBUTES[by].name} = ${JSON.stringify(value)} AND ExecutionStatus = "Completed"${ofDeployment(this.taskQueue)}`;
    // Lists start with the run that ended last.
    for await (const { closeTime } of this.client.workflow.list({ query, pageSize: 1 })) return closeTime?.getTime() ?? 0;
    return 0;
  }
}
