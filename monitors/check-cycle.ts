import { CHANNELS } from '../channels/catalog.ts';
import type { ChannelDefinition } from '../channels/define-channel.ts';
import {
  type CheckCycleInput,
  type CheckCycleResult,
  type OpenProblem,
  DEFAULT_MONITOR_SETTINGS,
} from '../workflows/plan/incidents/incident.ts';
import { iso } from '../workflows/plan/timetable/schedule.ts';
import {
  brokenFileFindings,
  deadWorkers,
  missingSchedules,
  removedRuns,
  uncheckedFindings,
  unexplainedPauses,
} from './deployment-findings.ts';
import type { Checked, MonitorFacts, SensorFacts } from './facts.ts';
import type { Finding } from './finding.ts';
import { pipelineFindings } from './pipeline-findings.ts';
import { checkConnectors } from './connectors/check-connectors.ts';
import type { ConnectorServers } from './connectors/connector-servers.ts';
import { isWatched } from './problems.ts';
import { reportFindings } from './report-findings.ts';
import { findSensorTroubles } from './sensor-troubles.ts';
import { Since } from './since.ts';
import { isUnknown } from './unknown-problems.ts';

/** Time for problems to disappear after workers are back, if they began while there were none. Milliseconds. */
const RECOVERY = 300_000;

/** Without workers the status of sensors is unknown. */
const NO_SENSORS: Checked<SensorFacts[]> = { found: [], unchecked: new Map() };

/**
 * Runs one check cycle: finds problems, and reports to the incidents which problems started, changed or ended. It can safely run again
 * after a crash: an incident then gets the same observation twice. A part that cannot be checked becomes a finding of its own, and does not
 * hide the others.
 * @param servers where the connectors are that the deployment has applied
 * @param channels of the project; default: the built-in ones
 */
export async function runCheckCycle(
  { taskQueue, settings, memory, now: time }: CheckCycleInput,
  facts: MonitorFacts,
  servers: ConnectorServers,
  channels: readonly ChannelDefinition[] = CHANNELS,
): Promise<CheckCycleResult> {
  const now = Date.parse(time);
  const since = new Since(memory.since, now);
  const { found: pipelines, unchecked: uncheckedPipelines } = await facts.pipelines(now, Object.keys(memory.open));
  const unchecked = new Map(uncheckedPipelines);
  const plans = new Map(pipelines.map(({ plan }) => [plan.dagId, plan]));
  const answers = await facts.workersAnswer();
  const silent = since.lasting('silent', !answers) ?? 0;
  const dead = silent >= settings.silenceMs;
  const wasDead = since.recently('dead', dead, RECOVERY);
  const sensors = answers ? await facts.sensors() : NO_SENSORS;
  for (const [id, reason] of sensors.unchecked) unchecked.set(id, reason);

  const declared = await facts.connectors(now);
  const isComplete = declared.unchecked.size === 0;
  const connectors = await checkConnectors(declared.found, memory.connectors, { taskQueue, isComplete, servers, since, settings, now });
  for (const [subject, reason] of [...declared.unchecked, ...connectors.unchecked]) unchecked.set(subject, reason);

  const isThere = (dagId: string): boolean => plans.has(dagId) || unchecked.has(dagId);
  const withoutSchedule = (memory.expected ?? []).filter((dagId) => !plans.has(dagId));
  const blind = { pipelines, unchecked, withoutSchedule, workersAnswer: answers };
  const isKept = (key: string, problem?: OpenProblem): boolean => isUnknown(key, problem, blind);
  since.carry(isKept);

  const findings: Finding[] = [
    ...(dead ? [deadWorkers(taskQueue, now - silent, pipelines)] : []),
    ...(answers ? findSensorTroubles(sensors, plans, since, settings) : []),
    ...missingSchedules(memory.expected, isThere, since, settings.graceMs),
    ...unexplainedPauses(pipelines, since, settings.graceMs),
    ...removedRuns(pipelines),
    ...brokenFileFindings(memory.files?.broken ?? [], plans, now, settings.fileMs ?? DEFAULT_MONITOR_SETTINGS.fileMs),
    ...connectors.findings,
    ...pipelineFindings(pipelines, facts, { now, settings, unchecked }),
  ];
  findings.push(...uncheckedFindings(unchecked, plans, since, settings.graceMs));
  const { open, lines, failures } = await reportFindings(findings, memory.open, facts, {
    // Dead workers explain these problems and have their own incident; many disappear once workers are back.
    holdsBack: wasDead || !answers,
    isUnknown: isKept,
    storm: `${taskQueue}/storm/${iso(now)}`,
    now,
    channels,
  });
  const completeAt = unchecked.size === 0 && failures === 0 ? iso(now) : memory.completeAt;
  return {
    memory: {
      open,
      since: since.kept(),
      ...(memory.expected && { expected: memory.expected }),
      ...(memory.files && { files: memory.files }),
      ...(Object.keys(connectors.failures).length > 0 && { connectors: connectors.failures }),
      ...(completeAt !== undefined && { completeAt }),
    },
    report: [
      `${pipelines.filter(({ plan }) => isWatched(plan)).length} of ${pipelines.length} pipelines have SLAs; checked at ${time}`,
      dead ? `✘ no worker responds since ${iso(now - silent)}` : answers ? '✔ workers respond' : '… workers do not respond at the moment',
      ...[...unchecked].slice(0, 20).map(([subject, reason]) => `? ${subject} cannot be checked: ${reason}`),
      ...findings.slice(0, 50).map(({ state, line }) => `${state === 'breach' ? '✘' : '!'} ${line}`),
      ...lines,
    ],
  };
}
