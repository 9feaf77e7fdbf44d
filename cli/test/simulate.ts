import { Evaluator } from '../../workflows/plan/expressions/evaluator.ts';
import { runValues } from '../../workflows/plan/expressions/run-names.ts';
import type { Json, JsonObject } from '../../workflows/plan/values/json.ts';
import type { Plan } from '../../workflows/plan/plan.ts';
import { resolveRunParams } from '../../workflows/plan/runs/run-params.ts';
import type { DataInterval } from '../../workflows/plan/timetable/schedule.ts';
import { PipelineRun, type RunEnd } from '../../workflows/run/pipeline-run.ts';
import { TaskFailed } from '../../workflows/run/run-host.ts';
import { type Script, SimulatedHost } from './simulated-host.ts';

/** What a simulated run is given. */
export interface Simulation {
  readonly interval: DataInterval;
  readonly params?: JsonObject;
  /** What the event says that has started the run. */
  readonly event?: JsonObject;
  readonly script: Script;
  /** When the run begins, milliseconds since 1970; default: when its interval is complete, as the clock starts it. */
  readonly startedAt?: number;
  /** The fields of connections that expressions read, by name. */
  readonly connections?: JsonObject;
  /** Called before the first moment: for what people decide and when. */
  prepare?(host: SimulatedHost, run: PipelineRun): void;
}

/** How a simulated run went. */
export interface Simulated extends RunEnd {
  readonly tookMs: number;
  readonly attempts: ReadonlyMap<string, number>;
}

/** Runs a plan with the interpreter's own code, without servers and without waiting. @throws Error for parameters that do not fit */
export async function simulate(plan: Plan, simulation: Simulation): Promise<Simulated> {
  const host = new SimulatedHost(simulation.script, async (call, parent) => {
    // Not the event: it has started the other run.
    const { script, connections, startedAt } = simulation;
    const child = {
      script,
      ...(startedAt !== undefined && { startedAt }),
      ...(connections && { connections }),
      params: call.params,
      interval: call.interval,
    };
    const runId = `${call.parentRunId}/${call.taskId}`;
    const end = await begin(call.plan, parent, child, runId).complete();
    if (end.failure) throw new TaskFailed(end.failure.message, end.failure.origin);
    const outputs = Object.fromEntries(Object.entries(end.result.tasks).map(([name, { output = null }]): [string, Json] => [name, output]));
    return { run_id: runId, state: end.result.state, outputs };
  });
  const run = begin(plan, host, simulation, `${plan.dagId}/simulated`);
  simulation.prepare?.(host, run);
  const end = await host.drive(run.complete());
  return { ...end, tookMs: host.now, attempts: host.attempts };
}

function begin(
  plan: Plan,
  host: SimulatedHost,
  { interval, params: given = {}, event, connections, startedAt = Date.parse(interval.end) }: Simulation,
  pipelineRunId: string,
): PipelineRun {
  const { params, mistakes } = resolveRunParams(plan, given);
  if (mistakes.length > 0) throw new TaskFailed(`Invalid parameters: ${mistakes.join(' ')}`);
  const evaluator = plan.shapes && new Evaluator(plan.shapes, plan.dateZone);
  const values = { ...runValues(plan, pipelineRunId, interval), ...(event && { event }), ...(connections && { conn: connections }) };
  const context = { pipelineRunId, interval, params, values, isOfTimetable: event === undefined, clockZero: startedAt };
  return new PipelineRun(plan, context, host, evaluator);
}
