import { patched } from '@temporalio/workflow';
import { boundedId } from '../plan/values/bounded-id.ts';

/** And ids have at most 255 bytes. */
const IDS_ARE_BOUNDED = 'ids-are-bounded';

/** An id that Temporal's databases take. Runs that began before ids were bounded keep those that they have used. */
export function idWithinLimit(text: string): string {
  const id = boundedId(text);
  return id === text || patched(IDS_ARE_BOUNDED) ? id : text;
}
