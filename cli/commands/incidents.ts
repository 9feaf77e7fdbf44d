import { randomUUID } from 'node:crypto';
import { userInfo } from 'node:os';
import type { Client } from '@temporalio/client';
import { Command, Option } from 'commander';
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
import { ownWorkflow } from '../../temporal/own-workflow.ts';
import { incidentId } from '../../workflows/plan/ids.ts';
import type { OperatorRequest } from '../../workflows/plan/runs/decision.ts';
import type { IncidentState, Notice } from '../../workflows/plan/incidents/incident.ts';
import { currentProject, environment, openConnections, outputOption, type OutputOptions, print, say } from '../command-context.ts';
import { withClient } from '../with-client.ts';

/** `sluice incidents`: lists incidents, and acknowledges or resolves them. */
export const command = new Command('incidents')
  .description('List, show, acknowledge and resolve incidents; `test` sends a test page and resolves it.')
  .addHelpText(
    'after',
    '\nExamples:\n  sluice incidents list --all\n  sluice incidents show sales/failed/2024-01-01T00:00:00Z\n  sluice incidents ack sales/failed/2024-01-01T00:00:00Z --reason "on it"\n  sluice incidents test --connection pagerduty_default',
  );

command
  .command('list', { isDefault: true })
  .description('List open incidents, or all that Temporal still keeps.')
  .option('-a, --all', 'include resolved incidents', false)
  .addOption(outputOption())
  .action(async ({ all, ...options }: OutputOptions & { all: boolean }) => {
    const incidents = await withClient((client) => listIncidents(client, taskQueueOf(environment), { all }));
    print(options, incidents, incidents.length === 0 ? 'No open incidents.' : formatIncidents(incidents));
  });

command
  .command('show')
  .description('Show one incident: its page and its history.')
  .argument('<key>', 'the incident key, as `sluice incidents list` shows it')
  .addOption(outputOption())
  .action(async (key: string, options: OutputOptions) => {
    const incident = await withClient(async (client) => showIncident(client, await ownKey(client, key)));
    print(options, incident, formatIncident(incident));
  });

interface RequestOptions {
  readonly as: string;
  readonly reason?: string;
}

for (const [name, description, act] of [
  ['ack', 'Acknowledge an incident: you are working on it.', acknowledgeIncident],
  ['resolve', 'Resolve an incident manually. It does not reopen while the same problem persists.', resolveIncident],
] as const) {
  command
    .command(name)
    .description(description)
    .argument('<key>', 'the incident key, as `sluice incidents list` shows it')
    .addOption(new Option('--as <name>', 'who makes the request').default(userInfo().username))
    .option('--reason <text>', 'why; recorded in the incident')
    .action(async (key: string, { as: by, reason }: RequestOptions) => {
      const request: OperatorRequest = { by, ...(reason !== undefined && { reason }) };
      say(await withClient(async (client) => act(client, await ownKey(client, key), request)));
    });
}

command
  .command('test')
  .description('Open an alert in PagerDuty and resolve it at once, to check that pages arrive.')
  .option('-c, --connection <name>', 'the connection with the integration key', 'pagerduty_default')
  .action(async ({ connection }: { connection: string }) => {
    const key = `sluice/test/${randomUUID()}`;
    for (const action of ['trigger', 'resolve'] as const) {
      const notice: Notice = {
        channel: 'pagerduty',
        connection,
        action,
        key,
        page: {
          summary: `Sluice: test page sent by ${userInfo().username}; no action needed`,
          severity: 'info',
          source: 'sluice',
          kind: 'test',
          since: new Date().toISOString(),
          details: { what_to_do: 'Nothing. This test alert resolves itself.' },
          links: [],
        },
      };
      const { channels, connections } = currentProject();
      await notify(openConnections(), scrubberOf(environment, connections), notice, { channels });
      say(`PagerDuty has accepted: ${action}`);
    }
  });

/** The key of an incident of this deployment; the deployment in it may be left out. */
async function ownKey(client: Client, key: string): Promise<string> {
  return (await ownWorkflow(client, taskQueueOf(environment), incidentId(key))).slice(incidentId('').length);
}

function formatIncidents(incidents: readonly ListedIncident[]): string {
  return formatTable(
    ['INCIDENT', 'STATE', 'SINCE', 'WHAT'],
    incidents.map(({ key, openedAt, state }) => [
      key,
      state ? stateWords(state) : 'no monitor responds',
      openedAt.toISOString(),
      state?.page.summary ?? '',
    ]),
  );
}

/** Describes the state, such as `acknowledged by ann`, and lists channels that have not accepted the alert. */
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
