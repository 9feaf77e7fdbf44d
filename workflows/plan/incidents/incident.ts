import { defineQuery, defineSignal, defineUpdate } from '../messages.ts';
import type { OperatorRequest } from '../runs/decision.ts';
import type { JsonObject } from '../values/json.ts';
import type { FailureMemory } from './restarts.ts';
import type { AlertsPlan, Severity } from './sla.ts';

export { incidentId } from '../ids.ts';

/** The workflow of an incident, with its messages. Wire data. */
export const INCIDENT_WORKFLOW = 'SluiceIncident';
export const INCIDENT_QUERY = defineQuery<IncidentState>('incident');
export const OBSERVE = defineSignal<[Observation]>('observe');
export const ACKNOWLEDGE_INCIDENT = defineUpdate<string, [OperatorRequest]>('acknowledge-incident');
export const RESOLVE_INCIDENT = defineUpdate<string, [OperatorRequest]>('resolve-incident');

/** The content of a page for on-call staff. */
export interface Page {
  /** One sentence: which pipeline, what happened, since when. */
  readonly summary: string;
  readonly severity: Severity;
  /** The subject: a pipeline, a task queue. */
  readonly source: string;
  /** The kind of breach: `late`, `failed`, … */
  readonly kind: string;
  /** When it began, ISO 8601. */
  readonly since: string;
  readonly details: JsonObject;
  readonly links: readonly PageLink[];
}

export interface PageLink {
  readonly href: string;
  readonly text: string;
}

/** What a monitor observes: a problem approaches, exists, or is over. Repeating an observation changes nothing. */
export interface Observation {
  readonly state: 'warning' | 'breach' | 'over';
  readonly page: Page;
  readonly alerts: AlertsPlan;
  /** The alert that is over, for an incident whose predecessor was deleted. Absent in data of older releases. */
  readonly opened?: 'warning' | 'breach';
}

export interface IncidentInput {
  readonly key: string;
  /** The memory from before it continued as new. */
  readonly before?: IncidentMemory;
}

/** The memory of an incident. */
export interface IncidentMemory {
  readonly wanted: Observation;
  readonly openedAt: string;
  readonly channels: readonly ChannelMemory[];
  readonly acknowledgedBy?: string;
  readonly log: readonly string[];
}

/** What a channel was last notified of. */
export interface ChannelMemory {
  readonly channel: string;
  readonly connection: string;
  /** Whether a page with changed text is sent again. Absent in data of older releases, which did so for PagerDuty only. */
  readonly takesUpdates?: boolean;
  readonly sent: 'nothing' | Observation['state'];
  /** Why the channel has not accepted it. */
  readonly trouble?: string | undefined;
  /** Unresolved alerts that it accepted, or may have accepted. Absent in data of older releases. */
  readonly open?: readonly ('warning' | 'breach')[];
  /** The last page that it accepted, as JSON. A different page is an update. */
  readonly said?: string;
}

/** The state of an incident. */
export interface IncidentState {
  readonly key: string;
  readonly state: 'open' | 'warned' | 'triggered' | 'acknowledged' | 'resolved';
  readonly openedAt: string;
  readonly page: Page;
  readonly acknowledgedBy?: string;
  readonly channels: readonly ChannelMemory[];
  /** The events so far, oldest first, one per line. */
  readonly log: readonly string[];
}

/** The input of the activity that notifies a channel. */
export interface Notice {
  readonly channel: string;
  readonly connection: string;
  /** A warning is a separate message with its own key; `unwarn` resolves it. */
  readonly action: 'warn' | 'unwarn' | 'trigger' | 'update' | 'acknowledge' | 'resolve';
  /** The key of the incident. */
  readonly key: string;
  readonly page: Page;
  /** The person who acted, for actions of people. */
  readonly by?: string;
}

/** The workflow that monitors a deployment. Wire data. */
export const MONITOR_WORKFLOW = 'SluiceMonitor';
/** Schedulers of earlier releases send no project, and those before them no files. */
export const MONITOR_EXPECTS =
  defineSignal<[expected: readonly string[], broken?: readonly BrokenFile[] | null, project?: string]>('monitor-expects');
export const MONITOR_QUERY = defineQuery<MonitorState>('monitor');

/** The state of a monitor. */
export interface MonitorState {
  /** When the last complete evaluation happened, by the server's clock, ISO 8601; absent: none yet. */
  readonly completeAt?: string;
  /** The scheduler's last report on pipeline files; absent: none. */
  readonly files?: FilesReport;
}

/** The scheduler's report on pipeline files. */
export interface FilesReport {
  /** Time of the report, ISO 8601. */
  readonly at: string;
  /** The files that it cannot apply. */
  readonly broken: readonly KnownBrokenFile[];
}

/** What was last reported of one project. */
export interface ProjectReport {
  /** The pipelines that it should have in Temporal. */
  readonly expected: readonly string[];
  readonly files?: FilesReport;
}

/** Maximum number of broken files to report one by one: hundreds of them have one cause. */
export const MAX_BROKEN_FILES = 200;

/** A pipeline file that the scheduler cannot apply. */
export interface BrokenFile {
  readonly file: string;
  /** Absent if it cannot be read from the file. */
  readonly dagId?: string;
  /** The first mistake, with its position, on one line. */
  readonly mistake: string;
  /** The number of mistakes. */
  readonly mistakes: number;
}

export interface KnownBrokenFile extends BrokenFile {
  /** ISO 8601. */
  readonly since: string;
}

export function monitorId(taskQueue: string): string {
  return `monitor/${taskQueue}`;
}

/** The task queue of a deployment's monitors. They have separate workers, so that they survive failures of the workers they monitor. */
export function monitorQueue(taskQueue: string): string {
  return `${taskQueue}-monitors`;
}

/** A workflow on the pipelines' task queue that only answers a query. */
export const PROBE_WORKFLOW = 'SluiceProbe';
export const PROBE_QUERY = defineQuery<boolean>('alive');

export function probeId(taskQueue: string): string {
  return `probe/${taskQueue}`;
}

/** Thresholds of monitors, in milliseconds. */
export interface MonitorSettings {
  /** Time between two evaluations. */
  readonly everyMs: number;
  /** How late a run may start after its tick before it is missing. */
  readonly graceMs: number;
  /** After this time without a worker for its first step, a run counts as never started. */
  readonly neverStartedMs: number;
  /** After this time without an answer, workers count as dead. */
  readonly silenceMs: number;
  /** How long a sensor may have problems or make no progress. */
  readonly sensorMs: number;
  /** How long a pipeline file may have mistakes. Absent in data of older releases: the default applies. */
  readonly fileMs?: number;
}

export const DEFAULT_MONITOR_SETTINGS: Required<MonitorSettings> = {
  everyMs: 5_000,
  graceMs: 60_000,
  neverStartedMs: 120_000,
  silenceMs: 30_000,
  sensorMs: 120_000,
  fileMs: 900_000,
};

export interface MonitorInput {
  readonly taskQueue: string;
  readonly settings: MonitorSettings;
  readonly memory?: MonitorMemory;
}

/** An open problem. Its incident may cover several problems. */
export interface OpenProblem {
  readonly incident: string;
  readonly state: 'warning' | 'breach';
  /** Who was alerted, in case the incident is deleted before the problem is over. Absent in data of older releases. */
  readonly alerts?: AlertsPlan;
  /** The run with the problem. If Temporal has deleted the run, the problem is not over. */
  readonly run?: { readonly id: string; readonly queuedAt: number };
  /** An operator resolved the incident. It does not reopen while the problem persists. */
  readonly isResolved?: boolean;
}

/** What a monitor remembers between evaluations. */
export interface MonitorMemory {
  /** The open problems, by key. */
  readonly open: Readonly<Record<string, OpenProblem>>;
  /** Since when a condition has lasted that becomes a problem only after some time, by key. ISO 8601. */
  readonly since: Readonly<Record<string, string>>;
  /** The last report of each project; absent in data of older releases. */
  readonly projects?: Readonly<Record<string, ProjectReport>>;
  /** The pipelines of all projects that were applied; absent: nothing was reported yet. */
  readonly expected?: readonly string[];
  /** Absent: the scheduler has not reported yet. */
  readonly files?: FilesReport;
  /** Connectors that have failed and not recovered, by the key of their incident. Absent: none. */
  readonly connectors?: Readonly<Record<string, FailureMemory>>;
  /** When everything was last checked and every incident notified. ISO 8601. */
  readonly completeAt?: string;
}

/** The input and output of the activity that performs an evaluation. */
export interface CheckCycleInput extends MonitorInput {
  /** The server's time, because the machine's clock may be wrong. ISO 8601. */
  readonly now: string;
  readonly memory: MonitorMemory;
}

export interface CheckCycleResult {
  readonly memory: MonitorMemory;
  /** The observations, one per line, for people. */
  readonly report: readonly string[];
}
