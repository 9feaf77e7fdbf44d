import { patched, setCurrentDetails, upsertMemo, upsertSearchAttributes } from '@temporalio/workflow';
import { type RunStatus, waitsForPeople } from '../plan/runs/run.ts';
import { SEARCH_ATTRIBUTES } from '../plan/runs/search-attributes.ts';
import { WAITS_MEMO } from '../plan/tasks/wait-text.ts';

/** Since 2026-11-28 a run that waits for people can be searched for. */
const WAITS_ARE_SHOWN = 'waits-are-shown';
/** Since the same day its memo says for whom, too. */
const WAITS_IN_MEMO = 'waits-in-memo';

/** What people see of a run without asking it: its details, its state in searches, and its memo. */
export class RunDisplay {
  private status: RunStatus = 'running';
  private shown: RunStatus = 'running';
  private waitsShown = '';

  show(taskTable: () => string): void {
    // The SDK makes JSON of the details when it is asked for them; a board drawn at each step of a run is seldom looked at.
    setCurrentDetails({ toJSON: taskTable } as unknown as string);
  }

  enter(state: RunStatus): void {
    const aboutPeople = waitsForPeople(state) || waitsForPeople(this.status);
    // Asked for in this order, so that a new run has one marker for both.
    const shown = waitsForPeople(state) && !patched(WAITS_IN_MEMO) && !patched(WAITS_ARE_SHOWN) ? 'running' : state;
    const isNew = shown !== this.shown;
    this.status = state;
    this.shown = shown;
    // Runs of earlier releases have no attribute while they wait for people, and may have the same one twice otherwise.
    if (isNew || !aboutPeople) upsertSearchAttributes([{ key: SEARCH_ATTRIBUTES.state, value: shown === 'running' ? null : shown }]);
  }

  showWaits(lines: readonly string[]): void {
    const text = lines.join('\n');
    if (text === this.waitsShown || (text !== '' && !patched(WAITS_IN_MEMO))) return;
    this.waitsShown = text;
    upsertMemo({ [WAITS_MEMO]: text === '' ? null : lines });
  }
}
