import { ApplicationFailure } from '@temporalio/common';
import {
  allHandlersFinished,
  condition,
  continueAsNew,
  getExternalWorkflowHandle,
  patched,
  scheduleLocalActivity,
  setCurrentDetails,
  setHandler,
  sleep,
  workflowInfo,
} from '@temporalio/workflow';
import {
  RELEASE_SLOTS,
  REQUEST_SLOTS,
  RESIZE_POOL,
  SLOTS_ANSWER,
  SLOTS_QUERY,
  SLOTS_SHORTAGE,
  type SlotsInput,
} from './plan/slots/slot-messages.ts';
import { type SlotNews, type SlotRequest, Slots, type SlotState } from './plan/slots/slots.ts';

/** How often to check whether holders still run, while requests wait: a terminated run releases nothing. In milliseconds. */
const POLL_INTERVAL_MS = 5_000;
/** Slots that do not need to be stored end after this time without a request. In milliseconds. */
const IDLE = 60_000;

/**
 * A workflow that manages slots shared by runs and tasks. It never grants more slots than exist, whatever crashes. Its current details list
 * waiting requests.
 */
export function SluiceSlots(input: SlotsInput): Promise<SlotState> {
  return holdSlots(input, () => workflowInfo().continueAsNewSuggested);
}

/** @param isHistoryLong whether to continue as new */
export async function holdSlots({ kind, state, untold = [] }: SlotsInput, isHistoryLong: () => boolean): Promise<SlotState> {
  const slots = new Slots(state);
  const news: SlotNews[] = [...untold];
  let notifying = 0;
  let drawn = false;
  const take = (some: readonly SlotNews[]): void => {
    news.push(...some);
    drawn = false;
  };
  setHandler(REQUEST_SLOTS, ({ request, capacity }) => {
    if (capacity !== undefined) take(slots.resize(capacity));
    take(slots.request(request));
  });
  setHandler(RELEASE_SLOTS, (key) => take(slots.release(key)));
  setHandler(
    RESIZE_POOL,
    (capacity) => {
      take(slots.resize(capacity));
      return `${capacity} slots`;
    },
    {
      validator(capacity) {
        if (kind !== 'pool') throw refused('The pipeline limits its active runs itself: max_active_runs or concurrency.');
        if (!Number.isInteger(capacity) || capacity < 0)
          throw refused(`${String(capacity)} is not a number of slots. Use a whole number, 0 or more.`);
      },
      description: 'How many slots the pool has: a whole number',
    },
  );
  setHandler(SLOTS_QUERY, () => slots.state);

  void freeWhatEnded(slots, take);
  for (;;) {
    if (isHistoryLong()) {
      // The server drops undelivered signals when their sender continues as new, so the next execution sends the remaining news.
      await condition(() => notifying === 0 && allHandlersFinished());
      await continueAsNew<typeof SluiceSlots>({ kind, state: slots.state, ...(news.length > 0 && { untold: news }) });
    }
    for (const each of news.splice(0)) {
      notifying++;
      void notify(each, (key) => take(slots.release(key))).finally(() => notifying--);
    }
    if (!drawn) setCurrentDetails(describe(slots));
    drawn = true;
    const { waiting, holders } = slots.state;
    // Workflows that an earlier release started deliver their news before they continue as new.
    const hasWork = (): boolean => news.length > 0 || !drawn || (isHistoryLong() && patched('renewed-while-waiting'));
    if (kind === 'pool' || waiting.length > 0 || holders.length > 0) await condition(hasWork);
    else if (!(await condition(hasWork, IDLE))) return slots.state;
  }
}

/** While requests wait, checks whether the slot holders still run. */
async function freeWhatEnded(slots: Slots, take: (news: readonly SlotNews[]) => void): Promise<never> {
  for (;;) {
    await condition(() => slots.state.waiting.length > 0);
    for (const key of await ended(slots.state.holders)) take(slots.release(key));
    await sleep(POLL_INTERVAL_MS);
  }
}

/** Notifies the run concerned. A run that cannot be notified has ended. */
async function notify(news: SlotNews, gone: (key: string) => void): Promise<void> {
  const { key, workflowId, runId } = news.kind === 'cancel' ? news.holder : news.request;
  const handle = getExternalWorkflowHandle(workflowId, runId);
  try {
    if (news.kind === 'cancel') await handle.cancel();
    else if (news.kind === 'short') await handle.signal(SLOTS_SHORTAGE, { key, capacity: news.capacity });
    else await handle.signal(SLOTS_ANSWER, { key, granted: news.kind === 'granted' });
  } catch {
    gone(key);
  }
}

/** The keys of requests whose runs have ended. */
async function ended(holders: readonly SlotRequest[]): Promise<string[]> {
  const runs = [...new Map(holders.map(({ runId, workflowId }) => [runId, { runId, workflowId }])).values()];
  for (;;) {
    try {
      const gone = new Set(
        await scheduleLocalActivity<string[]>('ended_runs', [runs], { startToCloseTimeout: '30s', retry: { maximumAttempts: 3 } }),
      );
      return holders.filter(({ runId }) => gone.has(runId)).map(({ key }) => key);
    } catch {
      // The check failed, so it is unknown which runs have ended.
      await sleep(POLL_INTERVAL_MS);
    }
  }
}

function refused(message: string): ApplicationFailure {
  return ApplicationFailure.nonRetryable(message, 'DecisionRefused');
}

const MAX_ROWS = 50;

function describe(slots: Slots): string {
  const { capacity, holders, waiting } = slots.state;
  const words = (wanted: number): string =>
    wanted > capacity ? ` (asks for ${wanted} of ${capacity} slots)` : wanted > 1 ? ` (${wanted} slots)` : '';
  const rows = (requests: readonly SlotRequest[], mark: string): string[] => [
    ...requests.slice(0, MAX_ROWS).map(({ workflowId, what, slots: wanted }) => `${mark} ${workflowId}  ${what}${words(wanted)}`),
    ...(requests.length > MAX_ROWS ? [`  … and ${requests.length - MAX_ROWS} more`] : []),
  ];
  const heading = `${capacity - slots.free} of ${capacity} slots taken, ${waiting.length} waiting`;
  return `${heading}\n\n\`\`\`text\n${[...rows(holders, '▶'), ...rows(waiting, '·')].join('\n')}\n\`\`\``;
}
