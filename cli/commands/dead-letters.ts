import type { Client } from '@temporalio/client';
import { Command } from 'commander';
import type { KafkaConnection } from '../../lib/kafka/connection.ts';
import { decoderOf } from '../../lib/kafka/decoders.ts';
import { withCurrentNames } from '../../lib/current-names.ts';
import { EXIT } from '../../lib/exit-code.ts';
import { taskQueueOf } from '../../lib/environment.ts';
import { formatTable } from '../../lib/table.ts';
import { createSensorStarts } from '../../temporal/sensors/sensor-starts.ts';
import { pipelineName } from '../../temporal/schedules/pipeline-name.ts';
import { listRunningSensors } from '../../temporal/sensors/sensors.ts';
import { type PipelineName, plainSensorId, sensorId, sensorOf } from '../../workflows/plan/ids.ts';
import type { Plan } from '../../workflows/plan/plan.ts';
import type { RunEvent, TriggerPlan } from '../../workflows/plan/trigger.ts';
import { sourceId } from '../../sensors/events/event-id.ts';
import { EventMatcher, type EventMatch } from '../../sensors/events/event-matcher.ts';
import { kafka } from '../../sensors/kafka.ts';
import { matchRecord } from '../../sensors/kafka/match-record.ts';
import { type KeptLetter, readDeadLetters } from '../../sensors/kafka/read-dead-letters.ts';
import { CommandError, environment, openConnections, outputOption, type OutputOptions, print, say } from '../command-context.ts';
import { findPlan } from '../find-plan.ts';
import { withClient } from '../with-client.ts';

/** `sluice dead-letters`: lists and replays events that sensors could not read. */
export const command = new Command('dead-letters')
  .description(
    'List events that a sensor could not read or evaluate, and why; `replay` processes them again with the current pipeline file.',
  )
  .addHelpText(
    'after',
    '\nExamples:\n  sluice dead-letters list retraining user_behavior_change\n  sluice dead-letters replay retraining user_behavior_change',
  );

command
  .command('list')
  .description('List dead letters, oldest first.')
  .argument('<pipeline>', 'a dag_id or a YAML file')
  .argument('<trigger>', 'the name of the trigger')
  .addOption(outputOption())
  .action(async (pipeline: string, name: string, options: OutputOptions) => {
    const found = await triggerOf(pipeline, name);
    if (!found) return;
    const letters = await lettersOf(found);
    print(
      options,
      letters.map(({ record, reason, origin }) => ({
        origin,
        reason,
        key: record.key?.toString(),
        value: record.value?.toString(),
      })),
      letters.length === 0
        ? 'There are no dead letters.'
        : formatTable(
            ['ORIGIN', 'TIME', 'REASON', 'VALUE'],
            letters.map(({ record, reason, origin }) => [
              origin,
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
    'Process dead letters again. Events that are now readable and match the condition start their runs; an event whose run exists starts no second one.',
  )
  .argument('<pipeline>', 'a dag_id or a YAML file')
  .argument('<trigger>', 'the name of the trigger')
  .addOption(outputOption())
  .action(async (pipeline: string, name: string, options: OutputOptions) => {
    const found = await triggerOf(pipeline, name);
    if (!found) return;
    const { plan, trigger } = found;
    const matcher = new EventMatcher(plan, trigger);
    const decode = decoderOf(trigger.source.format, connectionOf(trigger));
    if (typeof decode === 'string') throw new CommandError(decode);
    const letters = await lettersOf(found);
    const rows = await withClient(async (client) => {
      const starts = createSensorStarts(client, taskQueueOf(environment));
      const pipeline = await sensorName(client, plan, trigger);
      const outcomes: [string, string][] = [];
      for (const { record, origin } of letters) {
        const match = await matchRecord(record, (event) => matchAlone(matcher, trigger, event), decode);
        if (match.kind === 'none') outcomes.push([origin, 'does not match the condition']);
        else if (match.kind === 'invalid') outcomes.push([origin, `still invalid: ${match.reason}`]);
        else {
          const event = trigger.mode.kind === 'batch' ? aloneInBatch(match.event) : match.event;
          const { id, former } = match.id === undefined ? sourceId(origin) : { id: match.id, former: match.former };
          const run = {
            plan,
            name: pipeline,
            cause: trigger.type,
            trigger: trigger.name,
            id,
            ...(former && { former }),
            params: match.params,
            event,
          };
          outcomes.push([origin, `${(await starts.start(run)) === 'started' ? 'started' : 'already started:'} ${starts.idOf(run)}`]);
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
      say(`${still} of ${rows.length} dead letters are still invalid with the current pipeline file.`);
      process.exitCode = EXIT.failed;
    }
  });

interface Found {
  readonly plan: Plan;
  readonly trigger: TriggerPlan;
}

/** @returns undefined if the file has errors, which are printed */
async function triggerOf(pipeline: string, name: string): Promise<Found | undefined> {
  const plan = await findPlan(pipeline);
  if (!plan) return undefined;
  const triggers = plan.triggers ?? [];
  const trigger = triggers.find((each) => each.name === name);
  if (!trigger)
    throw new CommandError(
      `Pipeline '${plan.dagId}' has no trigger '${name}'. Its triggers: ${triggers.map((each) => each.name).join(', ') || 'none'}.`,
    );
  if (trigger.type !== 'kafka') throw new CommandError(`Triggers of type '${trigger.type}' do not keep dead letters.`);
  return { plan, trigger };
}

async function lettersOf({ plan, trigger }: Found): Promise<KeptLetter[]> {
  return readDeadLetters(connectionOf(trigger), await withClient((client) => sensorName(client, plan, trigger)), trigger.name);
}

/** The name of the pipeline in the id of its sensor. */
async function sensorName(client: Client, { dagId }: Plan, trigger: TriggerPlan): Promise<PipelineName> {
  const taskQueue = taskQueueOf(environment);
  const sensors = await listRunningSensors(client, taskQueue);
  const running = sensors.find(({ id }) => plainSensorId(id) === sensorId(dagId, trigger.name));
  return running ? sensorOf(running.id).name : pipelineName(client, taskQueue, dagId);
}

function connectionOf({ source }: TriggerPlan): KafkaConnection {
  const { conn_id: chosen } = withCurrentNames(kafka.params, source);
  return openConnections().get(typeof chosen === 'string' ? chosen : 'kafka_default', ['kafka']);
}

/** Matches one event alone: under `mode: batch` it is a batch of one. */
function matchAlone(matcher: EventMatcher, { mode }: TriggerPlan, event: RunEvent): EventMatch {
  if (mode.kind === 'window')
    throw new CommandError('Dead letters of a window cannot be replayed one by one. `sluice sensors reset` reads the whole window again.');
  if (mode.kind !== 'batch') return matcher.match(event);
  const match = matcher.matches(event);
  return match.kind === 'run' ? matcher.run(aloneInBatch(event)) : match;
}

function aloneInBatch(event: RunEvent): RunEvent {
  return { ...event, value: { records: [event.value], count: 1 } };
}
