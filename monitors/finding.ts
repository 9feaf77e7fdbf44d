import { timeText } from '../workflows/plan/values/format.ts';
import type { OpenProblem, Page } from '../workflows/plan/incidents/incident.ts';
import type { JsonObject } from '../workflows/plan/values/json.ts';
import type { AlertsPlan, Severity } from '../workflows/plan/incidents/sla.ts';
import { cutHeadline, headlineOf, summaryOf } from './summary.ts';

/** Channels for pipelines without `alerts`, and for findings that belong to no pipeline. */
export const DEFAULT_ALERTS: AlertsPlan = { pagerduty: { connection: 'pagerduty_default' } };

/** A current problem of any kind. */
export interface Finding {
  readonly key: string;
  /** Absent if it belongs to no pipeline. */
  readonly dagId?: string;
  readonly state: 'warning' | 'breach';
  readonly alerts: AlertsPlan;
  /** Whether it is explained by dead workers. */
  readonly waits: boolean;
  /** One line, for lists. */
  readonly line: string;
  readonly severity: Severity;
  /** The affected run. */
  readonly run?: OpenProblem['run'];
  page(): Promise<Page>;
}

/** The text of a page for a finding without a run. */
export interface FindingText {
  /** The affected thing, for people: a pipeline, `the sensor shop/views`. */
  readonly subject: string;
  /** The problem, as the end of a sentence that starts with the subject. */
  readonly what: string;
  readonly kind: string;
  /** The pipeline or the task queue; default: the subject. */
  readonly source?: string;
  readonly severity: Severity;
  /** ISO 8601. */
  readonly since: string;
  /** What to do, and further facts. */
  readonly details: JsonObject;
}

/** A problem that does not belong to one run, reported to the channels in `alerts`. */
export function findingOf(key: string, alerts: AlertsPlan | undefined, text: FindingText): Finding {
  const { subject, what, kind, source = subject, severity, since, details } = text;
  const line = `${subject} ${what}`;
  const began = Date.parse(since);
  const page: Page = {
    summary: summaryOf(cutHeadline(headlineOf(what)), [subject], began),
    severity,
    source,
    kind,
    since: timeText(began),
    details: { problem: line, ...details },
    links: [],
  };
  return { key, state: 'breach', alerts: alerts ?? DEFAULT_ALERTS, waits: false, line, severity, page: () => Promise.resolve(page) };
}
