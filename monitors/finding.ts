import type { OpenProblem, Page } from '../workflows/plan/incident.ts';
import type { AlertsPlan, Severity } from '../workflows/plan/sla.ts';

/** Who is told where a pipeline does not say it, and of what is not about one pipeline. */
export const USUAL_ALERTS: AlertsPlan = { pagerduty: { connection: 'pagerduty_default' } };

/** Something that is wrong now, whatever it is about. */
export interface Finding {
  readonly key: string;
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
export interface Told {
  readonly line: string;
  readonly kind: string;
  /** What it is about. */
  readonly source: string;
  readonly severity: Severity;
  /** ISO 8601. */
  readonly since: string;
  readonly whatToDo: string;
}

/** A problem that is not about one run, told to those whom `alerts` names. */
export function findingOf(key: string, alerts: AlertsPlan | undefined, told: Told): Finding {
  const { line, kind, source, severity, since, whatToDo } = told;
  const page: Page = { summary: `Sluice: ${line}`, severity, source, kind, since, details: { what_to_do: whatToDo }, links: [] };
  return { key, state: 'breach', alerts: alerts ?? USUAL_ALERTS, waits: false, line, severity, page: () => Promise.resolve(page) };
}
