import type { CheckCycleInput } from '../workflows/plan/incidents/incident.ts';
import type { MonitorFacts } from './facts.ts';
import { DEFAULT_ALERTS, type Finding } from './finding.ts';
import { pageOf } from './page.ts';
import type { ProblemKind } from './problem.ts';
import { findProblems } from './problems.ts';
import type { WatchedPipeline } from './watched.ts';

/** Maximum number of reported problems per pipeline: each is an incident, and all are carried from check to check. */
const MAX_FINDINGS = 200;

/** Problem kinds that dead workers explain. */
const EXPLAINED_BY_DEAD_WORKERS = {
  missing: true,
  never_started: true,
  late: true,
  stale: true,
  failed: false,
  held: false,
  assert: false,
  waits: false,
} as const satisfies Record<ProblemKind, boolean>;

/**
 * Finds the problems of each pipeline. An error in one pipeline does not stop the check of the others.
 * @param now milliseconds
 * @param unchecked receives the pipelines that could not be checked completely, with the reasons
 */
export function pipelineFindings(
  pipelines: readonly WatchedPipeline[],
  facts: MonitorFacts,
  {
    now,
    settings,
    unchecked,
  }: { readonly now: number; readonly settings: CheckCycleInput['settings']; readonly unchecked: Map<string, string> },
): Finding[] {
  return pipelines.flatMap((pipeline) => {
    try {
      const found = findingsOf(pipeline, facts, now, settings);
      if (found.length <= MAX_FINDINGS) return found;
      // Its open incidents stay open, because it is unknown which of them are over.
      unchecked.set(pipeline.plan.dagId, `it has ${found.length} problems at once; only ${MAX_FINDINGS} are reported`);
      return found.slice(0, MAX_FINDINGS);
    } catch (error) {
      unchecked.set(pipeline.plan.dagId, String(error));
      return [];
    }
  });
}

function findingsOf(pipeline: WatchedPipeline, facts: MonitorFacts, now: number, settings: CheckCycleInput['settings']): Finding[] {
  return findProblems(pipeline, now, settings).map((problem): Finding => {
    const { key, state, plan, severity, kind, what, run, alerts = plan.alerts ?? DEFAULT_ALERTS } = problem;
    return {
      key,
      state,
      alerts,
      severity,
      waits: EXPLAINED_BY_DEAD_WORKERS[kind],
      dagId: plan.dagId,
      line: `${plan.dagId} ${what}`,
      ...(run && { run: { id: run.pipelineRunId, queuedAt: run.queuedAt } }),
      page: () => pageOf(problem, facts, now),
    };
  });
}
