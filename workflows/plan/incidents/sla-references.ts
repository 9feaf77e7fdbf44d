import type { DataInterval } from '../timetable/schedule.ts';

/** The times that deadlines count from, in milliseconds. Unknown times are absent. */
export interface Times {
  readonly interval?: DataInterval;
  readonly queuedAt?: number;
  readonly startedAt?: number;
  /** For the pipeline: its last success, or else when it was applied. */
  readonly previousSuccess?: number;
}

interface SlaReferenceDefinition {
  /** Its subject. `interval`: known without a run, only for pipelines with a schedule; `subject`: the run or task that has the SLA. */
  readonly of: 'interval' | 'run' | 'subject' | 'pipeline';
  /** For the editor and the docs: what `within` counts from. */
  readonly description: string;
  /** For pages: 'it should have ended 2 h after …'. */
  readonly words: string;
  /** @returns milliseconds; undefined until it has happened */
  readonly timeOf: (times: Times) => number | undefined;
}

/** What `within` counts from. Each reference is defined only here. The first is the default of run and task SLAs. Names are wire data. */
export const SLA_REFERENCES = {
  started_at: {
    of: 'subject',
    description: 'the start; waiting for its turn does not count',
    words: 'after its start',
    timeOf: ({ startedAt }) => startedAt,
  },
  queued_at: {
    of: 'run',
    description: 'when the run was asked for',
    words: 'after it was asked for',
    timeOf: ({ queuedAt }) => queuedAt,
  },
  logical_date: {
    of: 'interval',
    description: "the beginning of the run's interval, whether there is a run or not",
    words: 'after its logical date',
    timeOf: ({ interval }) => interval && Date.parse(interval.start),
  },
  data_interval_end: {
    of: 'interval',
    description: "the end of the run's interval, whether there is a run or not",
    words: 'after the end of its interval',
    timeOf: ({ interval }) => interval && Date.parse(interval.end),
  },
  previous_success: {
    of: 'pipeline',
    description: 'the end of the last good run: how fresh the data is',
    words: 'after the last success',
    timeOf: ({ previousSuccess }) => previousSuccess,
  },
} as const satisfies Readonly<Record<string, SlaReferenceDefinition>>;

export type SlaReference = keyof typeof SLA_REFERENCES;

export const SLA_REFERENCE_NAMES = Object.keys(SLA_REFERENCES) as readonly SlaReference[];

/** The definition of a reference in a plan or file; undefined if there is no such reference. */
export function slaReference(name: string): SlaReferenceDefinition | undefined {
  return Object.hasOwn(SLA_REFERENCES, name) ? SLA_REFERENCES[name as SlaReference] : undefined;
}
