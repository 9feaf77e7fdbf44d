import { timeText } from '../workflows/plan/values/format.ts';
import type { OpenProblem, Page } from '../workflows/plan/incidents/incident.ts';
import type { JsonObject } from '../workflows/plan/values/json.ts';
import type { AlertsPlan, Severity } from '../workflows/plan/incidents/sla.ts';
import { cutHeadline, headlineOf, summaryOf } from './summary.ts';

/** Who is told where a pipeline does not say it, and of what is not about one pipeline. */
export const DEFAULT_ALERTS: AlertsPlan = { pagerduty: { connection: 'pagerduty_default' } };

/** Something that is wrong now, whatever it is about. */
export interface Finding {
  readonly key: string;
  /** Absent: it is not about one pipeline. */
  readonly dagId?: string;
  readonly state: 'warning' | 'breach';
  readonly alerts: AlertsPlan;
  /** Whether dead workers explain it. */
  readonly waits: boolean;
  /** In a line, for lists. */
  readonly line: string;
  readonly severity: Severity;
  /** The run that it is about. */
  readonly run?: OpenProblem['run'];
  page(): Promise<Page>;
}

/** What the page of a finding says when there is no run to tell of. */
export interface FindingText {
  /** What it is about, for people: a pipeline, `the sensor shop/views`. */
  readonly subject: string;
  /** What is the matter, as the end of a sentence that begins with the subject. */
  readonly what: string;
  readonly kind: string;
  /** The pipeline, or the task queue; absent: the subject. */
  readonly source?: string;
  readonly severity: Severity;
  /** ISO 8601. */
  readonly since: string;
  /** What to do, and what else there is to know. */
  readonly details: JsonObject;
}

/** A problem that is not about one run, told to those whom `alerts` names. */
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
