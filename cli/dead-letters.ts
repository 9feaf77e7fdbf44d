import { Command } from 'commander';
import { connectionsFrom } from '../lib/connections.ts';
import { EXIT } from '../lib/exit-code.ts';
import { taskQueueOf } from '../lib/environment.ts';
import { formatTable } from '../lib/table.ts';
import { createSensorStarts } from '../temporal/sensor-starts.ts';
import type { Plan } from '../workflows/plan/plan.ts';
import type { TriggerPlan } from '../workflows/plan/trigger.ts';
import { EventJudge } from '../sensors/event-judge.ts';
import { judgeRecord, originOf } from '../sensors/kafka/judge-record.ts';
import { type KeptLetter, readDeadLetters } from '../sensors/kafka/read-dead-letters.ts';
import { CommandError, environment, outputOption, type OutputOptions, print, say } from './command-context.ts';
import { findPlan } from './find-plan.ts';
import { withClient } from './with-client.ts';

/** `sluice dead-letters`: what sensors could not read. */
export const command = new Command('dead-letters')
  .description('Events that a sensor could not read or judge, and why; `replay` tries them again with the pipeline file as it is now.')
  .addHelpText(
    'after',
    '\nExamples:\n  sluice dead-letters list retraining user_behavior_change\n  sluice dead-letters replay retraining user_behavior_change',
  );

command
  .command('list')
  .description('Show them, the oldest first.')
  .argument('<pipeline>', 'dag_id, or a YAML file')
  .argument('<trigger>', 'the name of its trigger')
  .addOption(outputOption())
  .action(async (pipeline: string, name: string, options: OutputOptions) => {
    const found = await triggerOf(pipeline, name);
    if (!found) return;
    const letters = await lettersOf(found);
    print(
      options,
      letters.map(({ record, reason }) => ({
        origin: originOf(record),
        reason,
        key: record.key?.toString(),
        value: record.value?.toString(),
      })),
      letters.length === 0
        ? 'There are no dead letters.'
        : formatTable(
            ['ORIGIN', 'TIME', 'REASON', 'VALUE'],
            letters.map(({ record, reason }) => [
              originOf(record),
              new Date(Number(record.timestamp)).toISOString(),
              reason.slice(0, 120),
              (record.value?.toString() ?? '').slice(0, 60),
            ]),
          ),
    );
  });

command
  .command('replay')
  .description(
    'Try them again: those that can be read now, and meet the condition, start their runs. Those whose runs are there start none again.',
  )
  .argument('<pipeline>', 'dag_id, or a YAML file')
  .argument('<trigger>', 'the name of its trigger')
  .addOption(outputOption())
  .action(async (pipeline: string, name: string, options: OutputOptions) => {
    const found = await triggerOf(pipeline, name);
    if (!found) return;
    const { plan, trigger } = found;
    const judge = new EventJudge(plan, trigger);
    const letters = await lettersOf(found);
    const rows = await withClient(async (client) => {
      const starts = createSensorStarts(client, taskQueueOf(environment));
      const outcomes: [string, string][] = [];
      for (const { record } of letters) {
        const verdict = judgeRecord(record, judge);
        if (verdict.kind === 'none') outcomes.push([originOf(record), 'does not meet the condition']);
        else if (verdict.kind === 'invalid') outcomes.push([originOf(record), `still invalid: ${verdict.reason}`]);
        else {
          const run = { plan, cause: trigger.type, id: verdict.id ?? originOf(record), params: verdict.params, event: verdict.event };
          outcomes.push([
            originOf(record),
            `${(await starts.start(run)) === 'started' ? 'started' : 'known already:'} ${starts.idOf(run)}`,
          ]);
        }
      }
      return outcomes;
    });
    const still = rows.filter(([, outcome]) => outcome.startsWith('still invalid')).length;
    print(
      options,
      rows.map(([origin, outcome]) => ({ origin, outcome })),
      rows.length === 0 ? 'There are no dead letters.' : formatTable(['ORIGIN', 'OUTCOME'], rows),
    );
    if (still > 0) {
      say(`${still} of ${rows.length} cannot be read with the file as it is now.`);
      process.exitCode = EXIT.failed;
    }
  });

interface Found {
  readonly plan: Plan;
  readonly trigger: TriggerPlan;
}

/** @returns undefined after the mistakes of the file were shown */
async function triggerOf(pipeline: string, name: string): Promise<Found | undefined> {
  const plan = await findPlan(pipeline);
  if (!plan) return undefined;
  const triggers = plan.triggers ?? [];
  const trigger = triggers.find((each) => each.name === name);
  if (!trigger)
    throw new CommandError(`'${plan.dagId}' has no trigger '${name}'; it has: ${triggers.map((each) => each.name).join(', ') || 'none'}.`);
  if (trigger.type !== 'kafka') throw new CommandError(`Triggers of type ${trigger.type} keep no dead letters.`);
  return { plan, trigger };
}

function lettersOf({ plan, trigger }: Found): Promise<KeptLetter[]> {
  const { kafka_conn_id: chosen } = trigger.source;
  const connection = connectionsFrom(environment).get(typeof chosen === 'string' ? chosen : 'kafka_default', ['kafka']);
  return readDeadLetters(connection, plan.dagId, trigger.name);
}
