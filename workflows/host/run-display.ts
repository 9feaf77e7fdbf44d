import { patched, setCurrentDetails, upsertMemo, upsertSearchAttributes } from '@temporalio/workflow';
import { type RunStatus, waitsForPeople } from '../plan/runs/run.ts';
import { SEARCH_ATTRIBUTES } from '../plan/runs/search-attributes.ts';
import { WAITS_MEMO } from '../plan/tasks/wait-text.ts';

/** Patch id: since 2026-11-28, runs that wait for people can be found by search. */
const WAITS_ARE_SHOWN = 'waits-are-shown';
/** Patch id: since the same day, the memo names the people a run waits for. */
const WAITS_IN_MEMO = 'waits-in-memo';

/** What people see of a run without querying it: its details, search attributes and memo. */
export class RunDisplay {
  private status: RunStatus = 'running';
  private shown: RunStatus = 'running';
  private waitsShown = '';

  show(taskTable: () => string): void {
    // The SDK serializes the details only on request, so the task table, which is seldom read, is not rendered at each step.
    setCurrentDetails({ toJSON: taskTable } as unknown as string);
  }

  enter(state: RunStatus): void {
    const aboutPeople = waitsForPeople(state) || waitsForPeople(this.status);
    // The order of these `patched` calls gives a new run one marker for both.
    const shown = waitsForPeople(state) && !patched(WAITS_IN_MEMO) && !patched(WAITS_ARE_SHOWN) ? 'running' : state;
    const isNew = shown !== this.shown;
    this.status = state;
    this.shown = shown;
    // Runs of earlier releases have no attribute while they wait for people, so their attribute can be set twice to the same value.
    if (isNew || !aboutPeople) upsertSearchAttributes([{ key: SEARCH_ATTRIBUTES.state, value: shown === 'running' ? null : shown }]);
  }

  showWaits(lines: readonly string[]): void {
    const text = lines.join('\n');
    if (text === this.waitsShown || (text !== '' && !patched(WAITS_IN_MEMO))) return;
    this.waitsShown = text;
    upsertMemo({ [WAITS_MEMO]: text === '' ? null : lines });
  }
}
