import type { ShownRun } from '../../temporal/runs/follow-run.ts';
import type { RunSummary } from '../../temporal/runs/runs.ts';
import { decideCommand } from '../../workflows/plan/runs/decide-command.ts';
import { exactJsonText } from '../../workflows/plan/values/exact-json.ts';
import { timeText } from '../../workflows/plan/values/format.ts';
import { formText } from '../../workflows/plan/values/form-text.ts';
import type { JsonObject } from '../../workflows/plan/values/json.ts';
import type { RunInput } from '../../workflows/plan/runs/run.ts';
import { resolveRunParams } from '../../workflows/plan/runs/run-params.ts';
import type { OpenWait } from '../../workflows/plan/tasks/task-table.ts';
import { waitText, waitTimes } from '../../workflows/plan/tasks/wait-text.ts';
import { runState } from './run-view.ts';

/** Longer values are cut in text output, in characters; `-o json` prints them in full. */
const MAX_VALUE = 200;

/** The lines at the top of `sluice show`. */
export function runHeading(run: RunSummary, { instances, error, startedBy, isExact }: ShownRun, url: string | undefined): string[] {
  const { input } = instances;
  const { plan } = input ?? {};
  const interval = input?.interval ?? { start: run.interval, end: run.intervalEnd };
  const params = paramsOf(input);
  const facts = [
    plan?.owner && `owner ${plan.owner}`,
    plan && plan.tags.length > 0 && `tags ${plan.tags.join(', ')}`,
    interval.start && `data of ${interval.start} – ${interval.end ?? ''}`,
    plan && `plan ${plan.hash.slice(0, 12)}`,
  ];
  const times = [
    `started ${timeText(run.startedAt.getTime())} by ${startedBy} (${run.cause})`,
    run.endedAt && `ended ${timeText(run.endedAt.getTime())}`,
  ];
  const lines = [
    `${run.pipelineRunId}  ${runState(run)}`,
    plan?.description,
    facts.filter(Boolean).join(' · '),
    Object.keys(params).length > 0 && `parameters: ${valuesText(params)}`,
    times.filter(Boolean).join(' · '),
    input?.rerunOf && `repeats ${input.rerunOf.pipelineRunId}`,
    input?.event && `event: ${cut(exactJsonText(input.event.value))}`,
    error !== undefined && `failure: ${error}`,
    url,
    !isExact && 'No worker responds: the states below come from the history alone and may be incomplete.',
  ];
  return lines.filter((line): line is string => typeof line === 'string' && line !== '');
}

/** Lines below the tasks: whom a run waits for, how to answer, and the operator requests. */
export function peopleText({ pipelineRunId, waitsFor = [] }: RunSummary, { instances, acts }: ShownRun): string[] {
  const waits = instances.all().flatMap(({ wait }) => wait ?? []);
  // If no worker answers, use what the run has recorded about its waits.
  const waiting = waits.length > 0 ? waits.flatMap((wait) => waitLines(pipelineRunId, wait)) : waitsFor.map((line) => `  ${line}`);
  const lines = waiting.length > 0 ? ['', 'waits for a decision:', ...waiting] : [];
  if (acts.length > 0) lines.push('', 'operator requests:');
  for (const { at, act, task, by, reason, form } of acts) {
    lines.push(
      `  ${timeText(at.getTime())}  ${act}${task === undefined ? '' : ` ${task}`} by ${by}${reason === undefined ? '' : `: ${reason}`}${form ? ` (${valuesText(form)})` : ''}`,
    );
  }
  return lines;
}

/** The parameters of a run, including the defaults of its plan. */
export function paramsOf(input: RunInput | undefined): JsonObject {
  return input ? resolveRunParams(input.plan, input.params ?? {}).params : {};
}

function waitLines(run: string, wait: OpenWait): string[] {
  const { task, form } = wait;
  return [
    `  ${task}  ${waitText(wait)}`,
    `    ${waitTimes(wait)}: ${decideCommand(run, wait)}`,
    ...(form ? [`    form: ${formText(form)}`] : []),
  ];
}

function valuesText(values: JsonObject): string {
  return Object.entries(values)
    .map(([name, value]) => `${name}=${cut(typeof value === 'string' ? value : exactJsonText(value))}`)
    .join(', ');
}

function cut(text: string): string {
  return text.length > MAX_VALUE ? `${text.slice(0, MAX_VALUE)}…` : text;
}
