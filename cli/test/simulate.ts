import { Evaluator } from '../../workflows/plan/expressions/evaluator.ts';
import { runValues } from '../../workflows/plan/expressions/run-names.ts';
import type { Json, JsonObject } from '../../workflows/plan/values/json.ts';
import type { Plan } from '../../workflows/plan/plan.ts';
import { resolveRunParams } from '../../workflows/plan/runs/run-params.ts';
import type { DataInterval } from '../../workflows/plan/timetable/schedule.ts';
import { PipelineRun, type RunEnd } from '../../workflows/run/pipeline-run.ts';
import { TaskFailed } from '../../workflows/run/run-host.ts';
import { type Script, SimulatedHost } from './simulated-host.ts';

/** The input of a simulated run. */
export interface Simulation {
  readonly interval: DataInterval;
  readonly params?: JsonObject;
  /** The content of the event that started the run. */
  readonly event?: JsonObject;
  readonly script: Script;
  /** When the run starts, milliseconds since 1970; default: the end of its interval, like a scheduled run. */
  readonly startedAt?: number;
  /** The connection fields that expressions read, by connection name. */
  readonly connections?: JsonObject;
  /** Called before the run starts, to schedule decisions of people. */
  prepare?(host: SimulatedHost, run: PipelineRun): void;
}

/** The result of a simulated run. */
export interface Simulated extends RunEnd {
  readonly tookMs: number;
  readonly attempts: ReadonlyMap<string, number>;
}

/** Runs a plan with the real interpreter, without servers or real delays. @throws Error for invalid parameters */
export async function simulate(plan: Plan, simulation: Simulation): Promise<Simulated> {
  const host = new SimulatedHost(simulation.script, async (call, parent) => {
    // Without the event, which started only the parent run.
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
