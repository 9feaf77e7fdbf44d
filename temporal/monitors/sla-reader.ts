import type { Client } from '@temporalio/client';
import type { WatchedRun, WatchedTask } from '../../monitors/watched.ts';
import { identityText } from '../../workflows/plan/values/exact-json.ts';
import { Evaluator, ExpressionFailed } from '../../workflows/plan/expressions/evaluator.ts';
import { isMap, type Json } from '../../workflows/plan/values/json.ts';
import { putOutput } from '../../workflows/plan/tasks/outputs.ts';
import type { Plan } from '../../workflows/plan/plan.ts';
import { failedItems, isUnderWay, waitsForPeople } from '../../workflows/plan/runs/run.ts';
import type { SlaPlan } from '../../workflows/plan/incidents/sla.ts';
import { slaReference } from '../../workflows/plan/incidents/sla-references.ts';
import { isFinal } from '../../workflows/plan/tasks/task-state.ts';
import type { OpenWait, TaskTable } from '../../workflows/plan/tasks/task-table.ts';
import { readHistory, showRun } from '../runs/follow-run.ts';
import { TaskInstances } from '../runs/task-instances.ts';
import { ANSWER_WITHIN_MS, askTaskTable } from '../runs/task-table.ts';

type ReadRun = Omit<WatchedRun, 'plan' | 'startedAt' | 'hasStarted'>;

/** After a run does not answer, no run is queried for this time, in milliseconds. */
const SILENCE_MS = 30_000;

/** Time limit for evaluating all conditions of one run, in milliseconds, because other pipelines wait. */
const EVALUATION_MS = 1_000;

/** Reads the facts for SLAs that only histories of runs contain. Reads a history only if an SLA needs it, and once if that is enough. */
export class SlaReader {
  private readonly started = new Map<string, number>();
  private readonly broken = new Map<string, ReadonlyMap<string, string>>();
  private readonly evaluators = new WeakMap<Plan, Evaluator>();
  private silentUntil = 0;

  constructor(private readonly client: Client) {}

  /** Reads what the SLAs of a run's plan are about: its start, tasks and outputs. @param now milliseconds */
  async read(run: ReadRun, plan: Plan, now: number): Promise<Pick<WatchedRun, 'startedAt' | 'broken' | 'tasks' | 'waits'>> {
    const slas = plan.slas ?? [];
    const startedAt = await this.startOf(run, plan, slas);
    const broken =
      run.state === 'success' && slas.some(({ promise }) => promise.kind === 'assert') ? await this.brokenSlas(run, plan) : undefined;
    const tasks =
      isUnderWay(run.state) && slas.some(({ task }) => task !== undefined) ? await this.tasksOf(run, plan, slas, now) : undefined;
    const waits = plan.waitingAlerts && isUnderWay(run.state) ? await this.waitsOf(run) : undefined;
    return { ...(startedAt !== undefined && { startedAt }), ...(broken && { broken }), ...(tasks && { tasks }), ...(waits && { waits }) };
  }

  /** Drops cached facts of runs that are no longer known. @param known by dag_id */
  forget(known: ReadonlyMap<string, readonly { readonly run: { readonly temporalRunId: string } }[]>): void {
    const ids = new Set([...known.values()].flatMap((runs) => runs.map(({ run }) => run.temporalRunId)));
    for (const read of [this.started, this.broken]) for (const id of read.keys()) if (!ids.has(id)) read.delete(id);
  }

  /** When a run started to execute; queueing time does not count. */
  private async startOf(run: ReadRun, plan: Plan, slas: readonly SlaPlan[]): Promise<number | undefined> {
    if (run.state === 'queued') return undefined;
    const waits = plan.maxActiveRuns !== undefined || plan.concurrency !== undefined;
    const asks = slas.some(({ promise }) => promise.kind === 'within' && slaReference(promise.reference)?.of === 'subject');
    if (!waits || !asks || run.endedAt !== undefined) return run.queuedAt;
    const known = this.started.get(run.temporalRunId);
    if (known !== undefined) return known;
    const { instances } = await showRun(this.client, run);
    const times = instances.all().flatMap(({ startedAt }) => startedAt?.getTime() ?? []);
    if (times.length === 0) return run.queuedAt;
    const first = Math.min(...times);
    this.started.set(run.temporalRunId, first);
    return first;
  }

  /** The SLA conditions that the outputs of a run violate. */
  private async brokenSlas(run: ReadRun, plan: Plan): Promise<ReadonlyMap<string, string>> {
    const known = this.broken.get(run.temporalRunId);
    if (known) return known;
    const { instances } = await showRun(this.client, run);
    const outputs: Record<string, Json> = {};
    for (const { task, output } of instances.all()) {
      if (output !== undefined) putOutput(outputs, task, output);
    }
    let evaluator = this.evaluators.get(plan);
    if (!evaluator) this.evaluators.set(plan, (evaluator = new Evaluator(plan.shapes, plan.dateZone)));
    const values = {
      outputs,
      dag_id: plan.dagId,
      params: instances.input?.params ?? {},
      failed_items: failedItems(instances.result?.tasks ?? {}),
    };
    const broken = new Map<string, string>();
    const until = performance.now() + EVALUATION_MS;
    for (const { name, promise } of plan.slas ?? []) {
      if (promise.kind !== 'assert') continue;
      if (performance.now() > until) {
        broken.set(
          name,
          `has an SLA that could not be evaluated, ${name}: its conditions take more than ${EVALUATION_MS / 1000} s in total`,
        );
        continue;
      }
      try {
        const holds = evaluator.test(promise.condition, values);
        if (!holds) broken.set(name, `violates its SLA ${name}: ${valuesIn(promise.condition, values)}required: ${promise.condition}`);
      } catch (error) {
        if (!(error instanceof ExpressionFailed)) throw error;
        broken.set(name, `has an SLA that could not be evaluated, ${name}: ${error.message}`);
      }
    }
    this.broken.set(run.temporalRunId, broken);
    return broken;
  }

  private async tasksOf(run: ReadRun, plan: Plan, slas: readonly SlaPlan[], now: number): Promise<WatchedTask[] | undefined> {
    // Skip runs for which even the earliest SLA cannot be missed yet.
    const soonest = Math.min(
      ...slas.map(({ task, promise }) => (task === undefined ? Infinity : promise.kind === 'within' ? promise.ms / 2 : 0)),
    );
    if (now < run.queuedAt + soonest) return undefined;
    const instances = await this.instancesOf(run, plan);
    return instances.all().map(({ task, startedAt, state }) => ({
      task,
      ...(startedAt && { startedAt: startedAt.getTime() }),
      hasEnded: isFinal(state),
    }));
  }

  /** The run's task table is enough if a worker answers; the history of a long run has many pages. */
  private async instancesOf(run: ReadRun, plan: Plan): Promise<TaskInstances> {
    const table = await this.tableOf(run);
    if (!table) return (await readHistory(this.client, run)).instances;
    const instances = TaskInstances.of(plan);
    instances.apply(table);
    return instances;
  }

  /** The tasks that wait for people; undefined if no worker answers. A run that an operator has paused may have such tasks too. */
  private async waitsOf(run: ReadRun): Promise<readonly OpenWait[] | undefined> {
    return waitsForPeople(run.state) || run.state === 'paused' ? (await this.tableOf(run))?.waits : [];
  }

  private async tableOf(run: ReadRun): Promise<TaskTable | undefined> {
    const asked = Date.now();
    if (asked < this.silentUntil) return undefined;
    const table = await askTaskTable(this.client, run, { outputs: false });
    // Without workers, each of a thousand runs would wait for the full time limit.
    if (!table && Date.now() - asked >= ANSWER_WITHIN_MS) this.silentUntil = Date.now() + SILENCE_MS;
    return table;
  }
}

/** Formats the values that a condition names: `outputs.a.rows is 3; `. */
function valuesIn(condition: string, values: Readonly<Record<string, Json>>): string {
  const found = [...new Set(condition.match(/(?:\bfailed_items\b|\boutputs(?:\.[A-Za-z_][A-Za-z0-9_]*)+)/g) ?? [])].flatMap((path) => {
    let value: Json | undefined = values;
    for (const part of path.split('.')) value = isMap(value) ? value[part] : undefined;
    return value === undefined || isMap(value) || Array.isArray(value) || value === null ? [] : [`${path} is ${identityText(value)}`];
  });
  return found.length === 0 ? '' : `${found.join(', ')}; `;
}
