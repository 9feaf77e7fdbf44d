import { patched } from '@temporalio/workflow';
import { boundedId } from '../plan/values/bounded-id.ts';

/** Patch id: ids have at most 255 bytes. */
const IDS_ARE_BOUNDED = 'ids-are-bounded';

/** Returns an id that Temporal's databases accept. Runs that started before ids were bounded keep their ids. */
export function idWithinLimit(text: string): string {
  const id = boundedId(text);
  return id === text || patched(IDS_ARE_BOUNDED) ? id : text;
}
