import type { ChannelMemory, Notice, Observation, Page } from './incident.ts';

/** An alert in a channel. A warning and a breach are two alerts. */
export type OpenAlert = 'warning' | 'breach';

/** The status of a channel between two notices. */
export interface ChannelStatus {
  readonly memory: Pick<ChannelMemory, 'channel' | 'sent' | 'takesUpdates' | 'said'>;
  /** Unresolved alerts that the channel accepted, or may have accepted. */
  readonly open: ReadonlySet<OpenAlert>;
  /** Whether an update that only changes the text may be sent already. */
  readonly mayUpdate: boolean;
  /** The failures of other channels that it was last notified of, as JSON. */
  readonly saidFailures: string;
}

/** Whether a channel must be notified of an observation. @param failures why other channels do not deliver */
export function isNoticeDue(
  { memory, open, mayUpdate, saidFailures }: ChannelStatus,
  { state, page }: SeenProblem,
  failures: readonly string[],
): boolean {
  const { sent, channel, takesUpdates, said } = memory;
  // An alert that was never accepted needs no resolve, and a breach never becomes a warning again.
  if (state === 'over') return open.size > 0;
  if (state === 'warning') return sent === 'nothing' || sent === 'over';
  if (sent !== 'breach') return true;
  if (failures.length > 0 && open.has('breach') && JSON.stringify(failures) !== saidFailures) return true;
  return mayUpdate && (takesUpdates ?? channel === 'pagerduty') && JSON.stringify(page) !== said;
}

type SeenProblem = Pick<Observation, 'state'> & { readonly page: Page };

/** The notices to send to a channel, in order. Resolves each accepted alert, whatever happened to other notices. */
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

/** Which alert an accepted notice opens in its channel, and which it closes. */
const EFFECTS = {
  warn: { opens: 'warning' },
  unwarn: { closes: 'warning' },
  trigger: { opens: 'breach' },
  update: { opens: 'breach' },
  acknowledge: {},
  resolve: { closes: 'breach' },
} as const satisfies Record<Notice['action'], { readonly opens?: OpenAlert; readonly closes?: OpenAlert }>;

/**
 * The alerts that are open in a channel after a notice.
 * @param outcome `sent`: the answer may be lost, so the channel may have accepted it until it refuses; `failed`: all retries failed
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
