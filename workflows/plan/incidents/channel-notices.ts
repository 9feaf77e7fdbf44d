import type { ChannelMemory, Notice, Observation, Page } from './incident.ts';

/** An alert that a channel shows: a warning and a breach are two. */
export type OpenAlert = 'warning' | 'breach';

/** How a channel stands between two notices. */
export interface ChannelStatus {
  readonly memory: Pick<ChannelMemory, 'channel' | 'sent' | 'takesUpdates' | 'said'>;
  /** What it has accepted, or may have, and was not resolved there. */
  readonly open: ReadonlySet<OpenAlert>;
  /** Whether a page whose text alone has changed may be sent already. */
  readonly mayUpdate: boolean;
  /** The failures of other channels that it was notified of, as JSON. */
  readonly saidFailures: string;
}

/** Whether a channel has to be notified of what is observed. @param failures why other channels do not deliver */
export function isNoticeDue(
  { memory, open, mayUpdate, saidFailures }: ChannelStatus,
  { state, page }: SeenProblem,
  failures: readonly string[],
): boolean {
  const { sent, channel, takesUpdates, said } = memory;
  // What it never accepted is not taken back; and what has come does not go back to a warning.
  if (state === 'over') return open.size > 0;
  if (state === 'warning') return sent === 'nothing' || sent === 'over';
  if (sent !== 'breach') return true;
  if (failures.length > 0 && open.has('breach') && JSON.stringify(failures) !== saidFailures) return true;
  return mayUpdate && (takesUpdates ?? channel === 'pagerduty') && JSON.stringify(page) !== said;
}

type SeenProblem = Pick<Observation, 'state'> & { readonly page: Page };

/** What a channel is sent, in order. Each alert that it has accepted is resolved, whatever became of other notices. */
export function noticesFor(state: Observation['state'], open: ReadonlySet<OpenAlert>): readonly Notice['action'][] {
  switch (state) {
    case 'warning':
      return ['warn'];
    case 'breach':
      return [open.has('breach') ? 'update' : 'trigger', ...(open.has('warning') ? (['unwarn'] as const) : [])];
    case 'over':
      return [...(open.has('warning') ? (['unwarn'] as const) : []), ...(open.has('breach') ? (['resolve'] as const) : [])];
  }
}

/** The alert that an accepted notice opens in its channel, and the one that it closes. */
const EFFECTS = {
  warn: { opens: 'warning' },
  unwarn: { closes: 'warning' },
  trigger: { opens: 'breach' },
  update: { opens: 'breach' },
  acknowledge: {},
  resolve: { closes: 'breach' },
} as const satisfies Record<Notice['action'], { readonly opens?: OpenAlert; readonly closes?: OpenAlert }>;

/**
 * What is open in a channel after a notice.
 * @param outcome `sent`: its answer may get lost, so until the channel refuses, it may have accepted; `failed`: it was retried to the end
 */
export function openAfter(
  open: ReadonlySet<OpenAlert>,
  action: Notice['action'],
  outcome: 'sent' | 'accepted' | 'refused' | 'failed',
): ReadonlySet<OpenAlert> {
  const { opens, closes }: { readonly opens?: OpenAlert; readonly closes?: OpenAlert } = EFFECTS[action];
  const after = new Set(open);
  if (opens && outcome !== 'refused') after.add(opens);
  if (closes && outcome !== 'sent') after.delete(closes);
  return after;
}
