import { escapeLine } from '../../workflows/plan/values/printable.ts';
import { formatPlace, type Place } from './source-value.ts';

/** The outcome for part of a DAG. */
export type Outcome = 'kept' | 'changed' | 'not_kept';

/** A line of the report. */
export interface ReportEntry {
  readonly outcome: Outcome;
  /** The task's name in the pipeline; absent for the DAG itself. */
  readonly task?: string;
  /** The key or element. */
  readonly what: string;
  /** Absent for what was kept. */
  readonly why?: string;
  readonly place: Place;
}

/** Collects the outcomes for the parts of one DAG. */
export class Report {
  entries: ReportEntry[] = [];

  /** Removes the entries that say a task and its keys were kept or changed. @returns the task's place in its file */
  withdraw(task: string): Place | undefined {
    const [place] = this.entries.flatMap((entry) => (entry.task === task && entry.what === task ? [entry.place] : []));
    this.entries = this.entries.filter((entry) => entry.task !== task || entry.outcome === 'not_kept');
    return place;
  }

  /** Marks keys as not kept, wherever they are. */
  lose(keys: readonly string[], why: string): void {
    const isAboutKey = ({ what }: ReportEntry): boolean => keys.includes(what.replace(/^default_args\./, ''));
    this.entries = this.entries.map((entry) => (isAboutKey(entry) ? { ...entry, outcome: 'not_kept', why } : entry));
  }

  kept(what: string, place: Place, task?: string): void {
    this.entries.push({ outcome: 'kept', what, place, ...(task !== undefined && { task }) });
  }

  changed(what: string, why: string, place: Place, task?: string): void {
    this.entries.push({ outcome: 'changed', what, why, place, ...(task !== undefined && { task }) });
  }

  notKept(what: string, why: string, place: Place, task?: string): void {
    this.entries.push({ outcome: 'not_kept', what, why, place, ...(task !== undefined && { task }) });
  }
}

/**
 * A report as text:
 * ```
 * sales (dags/sales.yml:3:1)
 *   kept: description, schedule, tasks a, b
 *   changed   dags/sales.yml:9:5  a.retries: …
 *   not kept  dags/sales.yml:12:7  b.bash_command: …
 * ```
 */
export function formatReport(dagId: string, place: Place, entries: readonly ReportEntry[]): string {
  const name = ({ task, what }: ReportEntry): string =>
    escapeLine(task === undefined ? what : task === what ? `task ${task}` : `${task}.${what}`);
  const kept = entries.filter(({ outcome, task, what }) => outcome === 'kept' && (task === undefined || task === what));
  const reported = entries.filter(({ outcome }) => outcome !== 'kept').sort((a, b) => a.place.line - b.place.line);
  return [
    `${escapeLine(dagId)} (${formatPlace(place)})`,
    `  kept: ${kept.map(name).join(', ') || 'nothing'}`,
    ...reported.map((entry) => {
      const label = entry.outcome === 'changed' ? 'changed ' : 'not kept';
      return `  ${label}  ${formatPlace(entry.place)}  ${name(entry)}: ${escapeLine(entry.why ?? '')}`;
    }),
  ].join('\n');
}
