import { formatDuration } from './values/duration.ts';
import type { Plan } from './plan.ts';
import { cronsOf, type SchedulePlan } from './timetable/schedule.ts';
import type { Cause } from './runs/run.ts';
import type { TriggerPlan } from './trigger.ts';

/** Temporal accepts longer summaries but displays them badly. */
const MAX_SUMMARY_BYTES = 200;

/** One line for the top of a run in the Temporal UI: `scheduled · @daily`, `manual · 2024-01-01T00:00:00Z`. */
export function describeCause(cause: Cause, detail: string): string {
  return truncate(`${cause} · ${detail}`, MAX_SUMMARY_BYTES);
}

/** A schedule in a few words: `0 6 * * * Europe/Berlin`, `every 15m`, `manual`. */
export function describeSchedule(schedule: SchedulePlan | null): string {
  if (schedule === null) return 'no schedule';
  return schedule.kind === 'every'
    ? `every ${formatDuration(schedule.everyMs)}`
    : `${cronsOf(schedule).join(', ')}${schedule.timezone === 'UTC' ? ' UTC' : ` ${schedule.timezone}`}`;
}

/** A trigger on one line: `kafka user-behavior-metrics, when event.score > 0.7`. */
export function describeTrigger({ type, source, when, mode }: TriggerPlan): string {
  const what = Object.values(source).find((value) => typeof value === 'string' || Array.isArray(value));
  return [
    `${type} ${Array.isArray(what) ? what.join(', ') : String(what ?? '')}`.trim(),
    ...(when === undefined ? [] : [`when ${when}`]),
    ...(mode.kind === 'cooldown' ? [`at most one run in ${formatDuration(mode.forMs)}`] : []),
  ].join(', ');
}

/** Describes a pipeline for the details of its runs in the Temporal UI: Markdown, with the graph as fenced text. */
export function describePlan(plan: Plan): string {
  const facts = [
    plan.owner && `Owner: ${plan.owner}`,
    `Schedule: ${describeSchedule(plan.schedule)}`,
    plan.triggers && `Triggers: ${plan.triggers.map(describeTrigger).join('; ')}`,
    plan.tags.length > 0 && `Tags: ${plan.tags.join(', ')}`,
    `Plan: ${plan.hash.slice(0, 12)}`,
  ].filter(Boolean);
  const parts = [plan.description, facts.join(' · '), `\`\`\`text\n${plan.drawing ?? describeTasks(plan)}\n\`\`\``, plan.docMd];
  return truncate(parts.filter(Boolean).join('\n\n'), 16_000);
}

/** Lists the tasks, one per line, with their dependencies unless a task depends only on the line above. */
export function describeTasks(plan: Plan): string {
  const width = Math.max(0, ...plan.tasks.map((task) => task.name.length));
  const typeWidth = Math.max(0, ...plan.tasks.map((task) => task.type.length));
  return plan.tasks
    .map((task, index) => {
      const above = plan.tasks[index - 1]?.name;
      const chained = task.dependsOn.length === 1 && task.dependsOn[0] === above;
      const after = task.dependsOn.length === 0 || chained ? '' : `  after ${task.dependsOn.join(', ')}`;
      return `${chained ? '↓' : '•'} ${task.name.padEnd(width)}  ${task.type.padEnd(typeWidth)}  ${task.summary}${after}`.trimEnd();
    })
    .join('\n');
}

function truncate(text: string, maxBytes: number): string {
  // UTF-8 needs at most three bytes for each UTF-16 unit.
  if (text.length * 3 <= maxBytes) return text;
  let bytes = 0;
  let kept = '';
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    if (bytes > maxBytes - 3) return `${kept}…`;
    kept += character;
  }
  return kept;
}
