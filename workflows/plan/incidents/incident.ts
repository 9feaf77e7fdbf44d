import { defineQuery, defineSignal, defineUpdate } from '../messages.ts';
import type { OperatorRequest } from '../runs/decision.ts';
import type { JsonObject } from '../values/json.ts';
import type { AlertsPlan, Severity } from './sla.ts';

/** The workflow of an incident, and what can be said to it and asked of it. Wire data. */
export const INCIDENT_WORKFLOW = 'SluiceIncident';
export const INCIDENT_QUERY = defineQuery<IncidentState>('incident');
export const OBSERVE = defineSignal<[Observation]>('observe');
export const ACKNOWLEDGE_INCIDENT = defineUpdate<string, [OperatorRequest]>('acknowledge-incident');
export const RESOLVE_INCIDENT = defineUpdate<string, [OperatorRequest]>('resolve-incident');

/** The workflow of one incident. */
export function incidentId(key: string): string {
  return `incident/${key}`;
}

/** What somebody who is woken up is told. */
export interface Page {
  /** One sentence: which pipeline, what, since when. */
  readonly summary: string;
  readonly severity: Severity;
  /** What it is about: a pipeline, a task queue. */
  readonly source: string;
  /** `late`, `failed`, …: a word for the kind of breach. */
  readonly kind: string;
  /** Since when, ISO 8601. */
  readonly since: string;
  readonly details: JsonObject;
  readonly links: readonly PageLink[];
}

export interface PageLink {
  readonly href: string;
  readonly text: string;
}

/** What a monitor sees: that it comes near, that it is so, or that it is over. Saying it twice changes nothing. */
export interface Observation {
  readonly state: 'warning' | 'breach' | 'over';
  readonly page: Page;
  readonly alerts: AlertsPlan;
  /** What is over, for an incident that does not know because its predecessor was deleted. Absent in what older releases send. */
  readonly opened?: 'warning' | 'breach';
}

export interface IncidentInput {
  readonly key: string;
  /** What happened before its history began anew. */
  readonly before?: IncidentMemory;
}

/** What an incident knows of itself. */
export interface IncidentMemory {
  readonly wanted: Observation;
  readonly openedAt: string;
  readonly channels: readonly ChannelMemory[];
  readonly acknowledgedBy?: string;
  readonly log: readonly string[];
}

/** What a channel was notified of last. */
export interface ChannelMemory {
  readonly channel: string;
  readonly connection: string;
  /** Whether it is sent a page again whose text has changed. Absent in what older releases have written: PagerDuty was. */
  readonly takesUpdates?: boolean;
  readonly sent: 'nothing' | Observation['state'];
  /** Why it has not accepted that. */
  readonly trouble?: string | undefined;
  /** What it has accepted, or may have, and was not resolved there. Absent in what older releases have written. */
  readonly open?: readonly ('warning' | 'breach')[];
  /** The page that it has accepted last, as JSON: another one is an update. */
  readonly said?: string;
}

/** How an incident stands. */
export interface IncidentState {
  readonly key: string;
  readonly state: 'open' | 'warned' | 'triggered' | 'acknowledged' | 'resolved';
  readonly openedAt: string;
  readonly page: Page;
  readonly acknowledgedBy?: string;
  readonly channels: readonly ChannelMemory[];
  /** What has happened, oldest first, a line each. */
  readonly log: readonly string[];
}

/** The input of the activity that tells a channel. */
export interface Notice {
  readonly channel: string;
  readonly connection: string;
  /** A warning is a message of its own, with a key of its own, which `unwarn` resolves. */
  readonly action: 'warn' | 'unwarn' | 'trigger' | 'update' | 'acknowledge' | 'resolve';
  /** The incident's. */
  readonly key: string;
  readonly page: Page;
  /** Who did it, for what people did. */
  readonly by?: string;
}

/** The workflow that watches a deployment. Wire data. */
export const MONITOR_WORKFLOW = 'SluiceMonitor';
export const MONITOR_EXPECTS = defineSignal<[expected: readonly string[], broken?: readonly BrokenFile[]]>('monitor-expects');
export const MONITOR_QUERY = defineQuery<MonitorState>('monitor');

/** How a monitor stands. */
export interface MonitorState {
  /** When everything was checked last, by the server's clock, ISO 8601; absent: not yet. */
  readonly completeAt?: string;
  /** What the scheduler has said of the pipeline files; absent: nothing. */
  readonly files?: FilesReport;
}

/** What the scheduler has said of the pipeline files. */
export interface FilesReport {
  /** When, ISO 8601. */
  readonly at: string;
  /** Those that it cannot apply. */
  readonly broken: readonly KnownBrokenFile[];
}

/** Of more files not each is told: hundreds of bad files have one cause. */
export const MAX_BROKEN_FILES = 200;

/** A pipeline file that the scheduler cannot apply. */
export interface BrokenFile {
  readonly file: string;
  /** Absent where the file does not even say it. */
  readonly dagId?: string;
  /** The first thing that is wrong, with its place, in one line. */
  readonly mistake: string;
  /** How many things are wrong. */
  readonly mistakes: number;
}

export interface KnownBrokenFile extends BrokenFile {
  /** ISO 8601. */
  readonly since: string;
}

export function monitorId(taskQueue: string): string {
  return `monitor/${taskQueue}`;
}

/** The task queue of the monitors of a deployment: they have workers of their own, so that they outlive those whom they watch. */
export function monitorQueue(taskQueue: string): string {
  return `${taskQueue}-monitors`;
}

/** A workflow on the pipelines' own queue that does nothing but answer. */
export const PROBE_WORKFLOW = 'SluiceProbe';
export const PROBE_QUERY = defineQuery<boolean>('alive');

export function probeId(taskQueue: string): string {
  return `probe/${taskQueue}`;
}

/** How patient monitors are. Milliseconds. */
export interface MonitorSettings {
  /** From one look to the next. */
  readonly everyMs: number;
  /** A tick may be so late before its run is missing. */
  readonly graceMs: number;
  /** A run whose first step no worker has taken for so long has never started. */
  readonly neverStartedMs: number;
  /** Workers that do not answer for so long are dead. */
  readonly silenceMs: number;
  /** A sensor may be in trouble, or get nowhere, for so long. */
  readonly sensorMs: number;
  /** A pipeline file may have mistakes for so long. Absent in what older releases have written: as usual. */
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

/** A problem of which an incident tells: its own, or one for many. */
export interface OpenProblem {
  readonly incident: string;
  readonly state: 'warning' | 'breach';
  /** Who was alerted, for an incident that is deleted before the problem is over. Absent in what older releases have written. */
  readonly alerts?: AlertsPlan;
  /** The run that it is about: when Temporal no longer has it, the problem is not over for that. */
  readonly run?: { readonly id: string; readonly queuedAt: number };
  /** An operator has resolved the incident: it does not reopen while the problem persists. */
  readonly isResolved?: boolean;
}

/** What a monitor remembers from look to look. */
export interface MonitorMemory {
  /** The problems that are open, by their keys. */
  readonly open: Readonly<Record<string, OpenProblem>>;
  /** Since when something is in a state that is only a problem after a while, by its key. ISO 8601. */
  readonly since: Readonly<Record<string, string>>;
  /** The pipelines that the scheduler has applied; absent: it never said. */
  readonly expected?: readonly string[];
  /** Absent: the scheduler never said. */
  readonly files?: FilesReport;
  /** When everything was checked last, and every incident was reported to. ISO 8601. */
  readonly completeAt?: string;
}

/** What the activity of a look is given, and what it gives. */
export interface CheckCycleInput extends MonitorInput {
  /** The server's time: the clock of the machine may be wrong. ISO 8601. */
  readonly now: string;
  readonly memory: MonitorMemory;
}

export interface CheckCycleResult {
  readonly memory: MonitorMemory;
  /** What was seen, a line each, for people. */
  readonly report: readonly string[];
}
