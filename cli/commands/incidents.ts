import { randomUUID } from 'node:crypto';
import { userInfo } from 'node:os';
import { Command, Option } from 'commander';
import { connectionsFrom } from '../../connections/connections.ts';
import { scrubberOf } from '../../connections/scrubber.ts';
import { taskQueueOf } from '../../lib/environment.ts';
import { formatTable } from '../../lib/table.ts';
import { notify } from '../../monitors/notify.ts';
import {
  acknowledgeIncident,
  type ListedIncident,
  listIncidents,
  resolveIncident,
  showIncident,
} from '../../temporal/monitors/incidents.ts';
import type { OperatorRequest } from '../../workflows/plan/runs/decision.ts';
import type { IncidentState, Notice } from '../../workflows/plan/incidents/incident.ts';
import { environment, outputOption, type OutputOptions, print, say } from '../command-context.ts';
import { withClient } from '../with-client.ts';

/** `sluice incidents`: what people were paged for. */
export const command = new Command('incidents')
  .description('What is wrong and who was told: `list`, `show`, `ack` and `resolve` incidents; `test` pages and resolves.')
  .addHelpText(
    'after',
    '\nExamples:\n  sluice incidents list --all\n  sluice incidents show sales/failed/2024-01-01T00:00:00Z\n  sluice incidents ack sales/failed/2024-01-01T00:00:00Z --reason "on it"\n  sluice incidents test --connection pagerduty_default',
  );

command
  .command('list', { isDefault: true })
  .description('The open incidents, or all that Temporal remembers.')
  .option('-a, --all', 'those that are over too', false)
  .addOption(outputOption())
  .action(async ({ all, ...options }: OutputOptions & { all: boolean }) => {
    const incidents = await withClient((client) => listIncidents(client, taskQueueOf(environment), { all }));
    print(options, incidents, incidents.length === 0 ? 'Nothing is wrong, as far as monitors see.' : formatIncidents(incidents));
  });

command
  .command('show')
  .description('One incident: the page, and what has happened.')
  .argument('<key>', 'as `sluice incidents list` shows it')
  .addOption(outputOption())
  .action(async (key: string, options: OutputOptions) => {
    const incident = await withClient((client) => showIncident(client, key));
    print(options, incident, formatIncident(incident));
  });

interface RequestOptions {
  readonly as: string;
  readonly reason?: string;
}

for (const [name, description, act] of [
  ['ack', 'Say that you look after it.', acknowledgeIncident],
  ['resolve', 'Resolve it manually. It will not reopen while the same problem persists.', resolveIncident],
] as const) {
  command
    .command(name)
    .description(description)
    .argument('<key>', 'as `sluice incidents list` shows it')
    .addOption(new Option('--as <name>', 'who says so').default(userInfo().username))
    .option('--reason <text>', 'why; shown in the incident')
    .action(async (key: string, { as: by, reason }: RequestOptions) => {
      const request: OperatorRequest = { by, ...(reason !== undefined && { reason }) };
      say(await withClient((client) => act(client, key, request)));
    });
}

command
  .command('test')
  .description('Opens an alert in PagerDuty and resolves it at once: whether pages arrive.')
  .option('-c, --connection <name>', 'the connection that holds the integration key', 'pagerduty_default')
  .action(async ({ connection }: { connection: string }) => {
    const key = `sluice/test/${randomUUID()}`;
    for (const action of ['trigger', 'resolve'] as const) {
      const notice: Notice = {
        channel: 'pagerduty',
        connection,
        action,
        key,
        page: {
          summary: `Sluice: a test by ${userInfo().username}; nothing is wrong`,
          severity: 'info',
          source: 'sluice',
          kind: 'test',
          since: new Date().toISOString(),
          details: { what_to_do: 'Nothing: it resolves itself at once.' },
          links: [],
        },
      };
      await notify(connectionsFrom(environment), scrubberOf(environment), notice);
      say(`PagerDuty has accepted: ${action}`);
    }
  });

function formatIncidents(incidents: readonly ListedIncident[]): string {
  return formatTable(
    ['INCIDENT', 'STATE', 'SINCE', 'WHAT'],
    incidents.map(({ key, openedAt, state }) => [
      key,
      state ? stateWords(state) : 'no monitor answers',
      openedAt.toISOString(),
      state?.page.summary ?? '',
    ]),
  );
}

/** `triggered`, `acknowledged by ann`, and which channels have not accepted it. */
function stateWords({ state, acknowledgedBy, channels }: IncidentState): string {
  const failing = channels.flatMap(({ channel, trouble }) => (trouble === undefined ? [] : [channel]));
  return `${state}${acknowledgedBy === undefined ? '' : ` by ${acknowledgedBy}`}${failing.length === 0 ? '' : `, not delivered to ${failing.join(', ')}`}`;
}

function formatIncident({ key, state, page, channels, log }: IncidentState): string {
  const details = Object.entries(page.details).map(([name, value]) => [name, typeof value === 'string' ? value : JSON.stringify(value)]);
  return [
    `${key}: ${state}`,
    page.summary,
    '',
    formatTable(['DETAIL', ''], details),
    '',
    ...page.links.map(({ text, href }) => `${text}: ${href}`),
    ...channels.map(({ channel, sent, trouble }) => `${channel}: ${trouble === undefined ? sent : `not delivered: ${trouble}`}`),
    '',
    ...log,
  ].join('\n');
}
