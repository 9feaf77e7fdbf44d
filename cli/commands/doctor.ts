import { Command } from 'commander';
import { definitionOf } from '../../connections/catalog.ts';
import { connectionVariable, parseConnection } from '../../connections/parse.ts';
import { taskQueueOf } from '../../lib/environment.ts';
import { EXIT } from '../../lib/exit-code.ts';
import { withinTime } from '../../lib/time-limit.ts';
import { TemporalUnavailable } from '../../temporal/connect.ts';
import { ensureSearchAttributes } from '../../temporal/search-attributes.ts';
import { payloadKeysFrom } from '../../temporal/codec/payload-keys.ts';
import { askWorkers } from '../../temporal/monitors/probe.ts';
import {
  compilePaths,
  currentProject,
  environment,
  openConnections,
  outputOption,
  type OutputOptions,
  PIPELINES,
  print,
} from '../command-context.ts';
import { withClient } from '../with-client.ts';
import { errorText } from '../../workflows/plan/values/error-text.ts';

interface Check {
  readonly what: string;
  readonly ok: boolean;
  readonly detail: string;
}

/** Time limit for the answer of one server, in milliseconds. */
const PATIENCE = 15_000;

/** `sluice doctor`: checks everything that a run needs, and reports problems with their fixes. */
export const command = new Command('doctor')
  .description('Check everything that runs need: Temporal, workers, connections, pipelines. Reports what is wrong and what to do.')
  .addOption(outputOption())
  .addHelpText('after', '\nExample:\n  sluice doctor\n\nExit codes: 0 no problems, 1 problems found, 4 cannot connect to Temporal.')
  .action(async (options: OutputOptions) => {
    const temporal = await checkTemporal();
    const connections = await Promise.all(openConnections().names().map(checkConnection));
    const checks = [...temporal.checks, ...checkEncryption(), await checkPipelines(), ...connections];
    if (connections.length === 0)
      checks.push({ what: 'connections', ok: false, detail: 'none defined: start the local stack, or set SLUICE_CONN_… variables' });
    print(options, checks, checks.map(({ what, ok, detail }) => `${ok ? '✔' : '✘'} ${what}: ${detail}`).join('\n'));
    process.exitCode = temporal.unavailable ? EXIT.cannotConnect : checks.every(({ ok }) => ok) ? EXIT.ok : EXIT.failed;
  });

async function checkTemporal(): Promise<{ checks: Check[]; unavailable: boolean }> {
  try {
    return await withClient(async (client) => {
      const { serverVersion } = await client.workflowService.getSystemInfo({});
      await ensureSearchAttributes(client);
      const taskQueue = taskQueueOf(environment);
      const workersAnswer = await askWorkers(client, taskQueue);
      return {
        unavailable: false,
        checks: [
          { what: 'Temporal', ok: true, detail: `server ${serverVersion}, namespace ${client.options.namespace}` },
          {
            what: 'workers',
            ok: workersAnswer,
            detail: workersAnswer
              ? `respond on task queue '${taskQueue}'`
              : `no worker responds on task queue '${taskQueue}': start one with \`sluice worker\``,
          },
        ],
      };
    });
  } catch (error) {
    return { unavailable: error instanceof TemporalUnavailable, checks: [{ what: 'Temporal', ok: false, detail: errorText(error) }] };
  }
}

/** Keys that differ from those of the workers cannot decrypt any payload. */
function checkEncryption(): Check[] {
  const what = 'encryption';
  try {
    const keys = payloadKeysFrom(environment);
    const plain = keys?.readsPlain ? '; unencrypted payloads are also accepted (SLUICE_PAYLOAD_PLAIN)' : '';
    const detail = keys
      ? `payloads are encrypted with the key '${keys.first}'${plain}`
      : 'payloads are not encrypted: set SLUICE_PAYLOAD_KEYS';
    return [{ what, ok: true, detail }];
  } catch (error) {
    return [{ what, ok: false, detail: errorText(error) }];
  }
}

async function checkPipelines(): Promise<Check> {
  const compilations = await compilePaths([PIPELINES]);
  const bad = compilations.filter(({ plan }) => !plan);
  return {
    what: 'pipelines',
    ok: bad.length === 0,
    detail:
      bad.length === 0
        ? `${compilations.length} compile`
        : `${bad.map(({ file }) => file).join(', ')} ${bad.length === 1 ? 'has' : 'have'} mistakes: see \`sluice validate\``,
  };
}

async function checkConnection(name: string): Promise<Check> {
  const what = `connection ${name}`;
  try {
    const { connections } = currentProject();
    const connection = parseConnection(name, environment[connectionVariable(name)] ?? '', connections);
    const definition = definitionOf(connection.type, connections);
    const detail = await withinTime(PATIENCE, undefined, async (signal) => definition?.check(connection, signal));
    return { what, ok: true, detail: detail ?? '' };
  } catch (error) {
    return { what, ok: false, detail: `${errorText(error)} (${connectionVariable(name)})` };
  }
}
