import { describeTrigger } from './describe.ts';
import type { OperatorRequest } from './runs/decision.ts';
import type { SensorReport, SensorState } from './sensor.ts';
import type { TriggerPlan } from './trigger.ts';

const MARKS = { running: '▶', paused: '‖', stopped: '✘' } as const;

/** The status of a sensor, for its workflow's details in the Temporal UI: Markdown. */
export function describeSensor(dagId: string, trigger: TriggerPlan, { state, why, reports }: SensorState): string {
  const lines = [`${MARKS[state]} ${state}${why === undefined ? '' : `: ${why}`}`, ...reports.map(describeReport)];
  return `Starts runs of ${dagId}: ${describeTrigger(trigger)}\n\n\`\`\`text\n${lines.join('\n')}\n\`\`\``;
}

/** Who made a request, and why. */
export function describeRequest({ by, reason }: OperatorRequest): string {
  return `by ${by}${reason === undefined ? '' : `: ${reason}`}`;
}

function describeReport({ consumer, counts, rate, lag, lastStart, problem }: SensorReport): string {
  const { events, matches, started, known, invalid, lost, quiet = 0 } = counts;
  const parts = [
    `consumer ${consumer}:`,
    `${events} events (${rate.toFixed(1)}/s${lag === undefined ? '' : `, ${lag} behind`})`,
    `${matches} matches, ${started} runs started${known > 0 ? `, ${known} known already` : ''}${quiet > 0 ? `, ${quiet} dropped by cooldown` : ''}`,
    `${invalid} invalid${lost > 0 ? `, ${lost} removed by the source before they were read` : ''}`,
    ...(lastStart ? [`last start ${lastStart.run} at ${lastStart.at}`] : []),
    ...(problem === undefined ? [] : [`! ${problem}`]),
  ];
  return parts.join('\n  ');
}
