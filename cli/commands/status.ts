import { Command } from 'commander';
import { taskQueueOf } from '../../lib/environment.ts';
import { EXIT } from '../../lib/exit-code.ts';
import { formatTable } from '../../lib/table.ts';
import { listIncidents } from '../../temporal/monitors/incidents.ts';
import { listPastWaits, type PastWait } from '../../temporal/runs/past-waits.ts';
import { askMonitor } from '../../temporal/monitors/monitors.ts';
import { askWorkers } from '../../temporal/monitors/probe.ts';
import { listSchedules } from '../../temporal/schedules/schedules.ts';
import { ensureSearchAttributes } from '../../temporal/search-attributes.ts';
import { type FilesReport, MAX_BROKEN_FILES } from '../../workflows/plan/incidents/incident.ts';
import { environment, outputOption, type OutputOptions, print } from '../command-context.ts';
import { withClient } from '../with-client.ts';

/** The status of the deployment. */
interface Status {
  readonly pipelines: number;
  readonly paused: readonly string[];
  readonly workers_answer: boolean;
  /** When monitors last checked everything, ISO 8601; null: unknown. */
  readonly checked_at: string | null;
  readonly open_incidents: number;
  /** When the scheduler last applied the files, ISO 8601, and the files that it could not apply; null: unknown. */
  readonly files_at: string | null;
  readonly broken_files: FilesReport['broken'] | null;
  /** Tasks that wait for their success in the previous interval; only those of the newest runs if there are very many runs. */
  readonly waiting_for_past: readonly PastWait[];
  readonly all_runs_looked_at: boolean;
}

/** `sluice status`: shows the status of the deployment. */
export const command = new Command('status')
  .description(
    'Show the status of the deployment: pipelines, workers, monitors, open incidents, tasks that wait for an earlier run, and pipeline files that cannot be applied.',
  )
  .addOption(outputOption())
  .addHelpText(
    'after',
    '\nExample:\n  sluice status\n\nExit codes: 0 no problems, 1 problems found or status unknown, 4 cannot connect to Temporal.',
  )
  .action(async (options: OutputOptions) => {
    const status = await readStatus(taskQueueOf(environment));
    print(options, status, formatStatus(status));
    const { workers_answer, checked_at, open_incidents, broken_files } = status;
    const isWell = workers_answer && checked_at !== null && open_incidents === 0 && broken_files?.length === 0;
    process.exitCode = isWell ? EXIT.ok : EXIT.failed;
  });

function readStatus(taskQueue: string): Promise<Status> {
  return withClient(async (client) => {
    await ensureSearchAttributes(client);
    const [schedules, workersAnswer, monitor, incidents, past] = await Promise.all([
      listSchedules(client, taskQueue),
      askWorkers(client, taskQueue),
      askMonitor(client, taskQueue),
      listIncidents(client, taskQueue, { limit: 1_000 }),
      listPastWaits(client, taskQueue),
    ]);
    return {
      pipelines: schedules.length,
      paused: schedules.filter(({ paused }) => paused).map(({ dagId }) => dagId),
      workers_answer: workersAnswer,
      checked_at: monitor?.completeAt ?? null,
      open_incidents: incidents.length,
      files_at: monitor?.files?.at ?? null,
      broken_files: monitor?.files?.broken ?? null,
      waiting_for_past: past.waits,
      all_runs_looked_at: past.isComplete,
    };
  });
}

function formatStatus(status: Status): string {
  const { pipelines, paused, workers_answer, checked_at, open_incidents, files_at, broken_files, waiting_for_past: waits } = status;
  const lines = [
    `pipelines: ${pipelines} applied${paused.length === 0 ? '' : `, paused: ${paused.join(', ')}`}`,
    `workers: ${workers_answer ? 'respond' : 'do not respond; `sluice doctor` shows why'}`,
    `monitors: ${checked_at === null ? 'no complete check yet' : `last complete check at ${checked_at}`}`,
    `incidents: ${open_incidents === 0 ? 'none open' : `${open_incidents} open; \`sluice incidents\` lists them`}`,
    `files: ${filesInWords(broken_files)}${files_at === null ? '' : `, reported by the scheduler at ${files_at}`}`,
    `past: ${pastInWords(status)}`,
  ];
  if (waits.length > 0) {
    const rows = waits.map(({ run, task, since, waits_for }) => [run, task, since, waits_for ?? '']);
    lines.push('', formatTable(['RUN', 'TASK', 'SINCE', 'WAITS FOR'], rows));
  }
  if (!broken_files || broken_files.length === 0) return lines.join('\n');
  const rows = broken_files.map(({ file, dagId, since, mistakes, mistake }) => [file, dagId ?? '', since, String(mistakes), mistake]);
  return [...lines, '', formatTable(['FILE', 'PIPELINE', 'SINCE', 'MISTAKES', 'FIRST MISTAKE'], rows)].join('\n');
}

function pastInWords({ waiting_for_past: waits, all_runs_looked_at }: Status): string {
  const count =
    waits.length === 0
      ? 'no task waits for an earlier run'
      : waits.length === 1
        ? '1 task waits for an earlier run'
        : `${waits.length} tasks wait for an earlier run`;
  return `${count}${all_runs_looked_at ? '' : ', in the newest runs; older running runs were not checked'}`;
}

function filesInWords(files: Status['broken_files']): string {
  if (!files) return 'unknown: no monitor has a report of the scheduler; `sluice validate` checks the local files';
  if (files.length === 0) return 'all applied';
  const count = files.length < MAX_BROKEN_FILES ? String(files.length) : `${files.length} or more`;
  return `${count} cannot be applied`;
}
