import { userInfo } from 'node:os';
import type { Client } from '@temporalio/client';
import { Command, Option } from 'commander';
import { taskQueueOf } from '../../lib/environment.ts';
import { formatTable } from '../../lib/table.ts';
import { listSensors, pauseSensor, resetSensor, resumeSensor, type SensorStatus } from '../../temporal/sensors/sensors.ts';
import type { OperatorRequest } from '../../workflows/plan/runs/decision.ts';
import { ownWorkflow } from '../../temporal/own-workflow.ts';
import { sensorId } from '../../workflows/plan/ids.ts';
import { CommandError, environment, outputOption, type OutputOptions, print, say } from '../command-context.ts';
import { withClient } from '../with-client.ts';

/** `sluice sensors`: lists sensors and manages them. */
export const command = new Command('sensors')
  .description('List sensors: state, rate, lag, started runs; `pause`, `resume` or `reset` one.')
  .addOption(outputOption())
  .addHelpText(
    'after',
    '\nExamples:\n  sluice sensors\n  sluice sensors pause retraining/user_behavior_change --reason "the topic is being rebuilt"\n  sluice sensors reset retraining/user_behavior_change --to 2024-01-31T06:00:00Z',
  )
  .action(async (options: OutputOptions) => {
    const sensors = await withClient((client) => listSensors(client, taskQueueOf(environment)));
    print(
      options,
      sensors,
      sensors.length === 0 ? 'There are no sensors. Each trigger of an applied pipeline has one.' : formatSensors(sensors),
    );
  });

interface RequestOptions {
  readonly as: string;
  readonly reason?: string;
}

for (const [name, description, act] of [
  ['pause', 'Pause a sensor: it reads no further events; started runs continue.', pauseSensor],
  ['resume', 'Resume a paused or stopped sensor where it stopped reading.', resumeSensor],
] as const) {
  withRequestOptions(command.command(name).description(description)).action(async (sensor: string, request: RequestOptions) => {
    say(await withClient(async (client) => act(client, await idOf(client, sensor), wordOf(request))));
  });
}

withRequestOptions(
  command.command('reset').description('Move a sensor to another position. Events whose runs Temporal still keeps start no second run.'),
)
  .requiredOption('--to <place>', 'earliest, latest, or a time such as 2024-01-31T06:00:00Z')
  .action(async (sensor: string, { to, ...request }: RequestOptions & { to: string }) => {
    say(await withClient(async (client) => resetSensor(client, await idOf(client, sensor), { ...wordOf(request), to })));
  });

function withRequestOptions(to: Command): Command {
  return to
    .argument('<sensor>', '<dag_id>/<trigger>, as `sluice sensors` shows it')
    .addOption(new Option('--as <name>', 'who makes the request').default(userInfo().username))
    .option('--reason <text>', 'why; recorded in the sensor');
}

function wordOf({ as: by, reason }: RequestOptions): OperatorRequest {
  return { by, ...(reason !== undefined && { reason }) };
}

function idOf(client: Client, sensor: string): Promise<string> {
  const [dagId = '', trigger = '', ...rest] = sensor.replace(/^sensor\//, '').split('/');
  if (dagId === '' || trigger === '' || rest.length > 0)
    throw new CommandError(`'${sensor}' is not a sensor id of the form <dag_id>/<trigger>. \`sluice sensors\` lists all sensors.`);
  return ownWorkflow(client, taskQueueOf(environment), sensorId(dagId, trigger));
}

function formatSensors(sensors: readonly SensorStatus[]): string {
  return formatTable(
    ['SENSOR', 'STATE', 'EVENTS', 'RATE', 'BEHIND', 'MATCHES', 'STARTED', 'COOLDOWN', 'INVALID', 'LAST START'],
    sensors.map(({ id, state }) => {
      const name = id.replace(/^sensor\//, '');
      if (!state) return [name, 'no worker responds', '?', '?', '?', '?', '?', '?', '?', ''];
      const { reports } = state;
      const sum = (of: (report: (typeof reports)[number]) => number): string =>
        String(reports.reduce((total, each) => total + of(each), 0));
      const problem = reports.find((report) => report.problem !== undefined)?.problem ?? state.why;
      const rate = reports.reduce((total, each) => total + each.rate, 0);
      const behind = reports.some(({ lag }) => lag !== undefined) ? sum(({ lag = 0 }) => lag) : '?';
      const last = reports.flatMap(({ lastStart }) => lastStart ?? []).sort((a, b) => (a.at < b.at ? 1 : -1))[0];
      return [
        name,
        `${state.state}${problem === undefined ? '' : `: ${problem}`}`,
        sum(({ counts }) => counts.events),
        `${rate.toFixed(1)}/s`,
        behind,
        sum(({ counts }) => counts.matches),
        sum(({ counts }) => counts.started),
        sum(({ counts }) => counts.quiet ?? 0),
        sum(({ counts }) => counts.invalid),
        last ? `${last.at} ${last.run}` : '',
      ];
    }),
  );
}
