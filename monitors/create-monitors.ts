import { ApplicationFailure, Context } from '@temporalio/activity';
import { CHANNELS } from '../channels/catalog.ts';
import type { ChannelDefinition } from '../channels/define-channel.ts';
import { failOnCallbackError } from '../lib/callback-errors.ts';
import type { Connections } from '../connections/connections.ts';
import { connectionVariable } from '../connections/parse.ts';
import { scrubberOf } from '../connections/scrubber.ts';
import type { Environment } from '../lib/environment.ts';
import type { Scrubber } from '../lib/scrubbing/scrub.ts';
import type { CheckCycleInput, CheckCycleResult, Notice } from '../workflows/plan/incidents/incident.ts';
import type { MonitorFacts } from './facts.ts';
import { runCheckCycle } from './check-cycle.ts';
import { connectorServers } from './connectors/connector-servers.ts';
import { notify } from './notify.ts';
import { errorText } from '../workflows/plan/values/error-text.ts';

/** Interval of a running check's heartbeats, in milliseconds. */
const HEARTBEAT = 1_000;

/** What monitors know of the project; default: what is built in. */
interface MonitorOptions {
  readonly channels?: readonly ChannelDefinition[];
  /** Hides the secrets of the project's connections. */
  readonly secrets?: Scrubber;
}

/** The activities of the monitor workers. */
export function createMonitors(
  facts: MonitorFacts,
  connections: Connections,
  environment: Environment,
  { channels = CHANNELS, secrets = scrubberOf(environment) }: MonitorOptions = {},
) {
  return {
    async look(call: CheckCycleInput): Promise<CheckCycleResult> {
      const { heartbeat, info, cancellationSignal } = Context.current();
      const heart = setInterval(() => heartbeat(), HEARTBEAT);
      try {
        return await failOnCallbackError(`monitor ${info.workflowExecution?.workflowId}`, undefined, () =>
          runCheckCycle(call, facts, connectorServers(connections, cancellationSignal), channels),
        );
      } finally {
        clearInterval(heart);
      }
    },

    async notify(notice: Notice): Promise<void> {
      const { log, cancellationSignal, info } = Context.current();
      const { channel, connection, key } = notice;
      try {
        const variable = connectionVariable(connection);
        // No default channel is configured: the incident is visible in the Temporal UI and in `sluice incidents`.
        if (!environment[variable] && connection.endsWith('_default'))
          throw ApplicationFailure.nonRetryable(`No notification was sent: ${variable} is not set.`, 'ChannelNotSet');
        await failOnCallbackError(`notice of ${key}`, cancellationSignal, (signal) =>
          notify(connections, secrets, notice, { cancelled: signal, channels }),
        );
      } catch (error) {
        const reason = errorText(error);
        log.warn(`${channel} (${connection}) does not deliver: ${reason}`, { incident: key, attempt: info.attempt });
        throw error;
      }
    },
  };
}
