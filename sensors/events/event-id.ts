import { createHash } from 'node:crypto';
import { hasDotSegment } from '../../workflows/plan/values/dot-segments.ts';
import { identityText } from '../../workflows/plan/values/exact-json.ts';
import { isNumberText, type Json } from '../../workflows/plan/values/json.ts';
import type { Plan } from '../../workflows/plan/plan.ts';
import type { TriggerPlan } from '../../workflows/plan/trigger.ts';

/** Maximum length of a readable id, in characters; longer ids are hashed. A workflow id is limited to 1,000 bytes. */
const MAX_ID = 200;

/** The same for names given by sources, such as object keys, which are longer. In characters. */
const MAX_SOURCE_ID = 400;

/** How many characters of a longer name are kept readable. */
const READABLE = 60;

/** Prefix of ids that no source and no older release produces. */
const RESERVED = '~';

/** Identifies an event within its pipeline and trigger type, as part of a run's id: bounded, ASCII without control characters. */
export interface EventId {
  readonly id: string;
  /** Other ids under which its run may exist, if it was started earlier. Usually absent. */
  readonly former?: readonly FormerId[];
}

/** An id under which the run of an event may already exist. */
export interface FormerId {
  readonly id: string;
  /** Whether this trigger itself used the id for this event; otherwise only an older release did. */
  readonly isOwn: boolean;
}

/**
 * The id of an event from its deduplication key. Each id stands for exactly one value of one trigger: `1` and `"1"` differ. Ids of older
 * releases are kept if they are unambiguous.
 */
export function keyedId(plan: Plan, trigger: TriggerPlan, key: Json): EventId {
  const older = keyText(key);
  const text = typeof key === 'string' && isMistakable(key) ? JSON.stringify(key) : identityText(key);
  const own = boundedId(text);
  const isAlone = (plan.triggers ?? []).filter(({ type }) => type === trigger.type).length < 2;
  const id = isAlone ? own : `${RESERVED}${trigger.name}${RESERVED}${own}`;
  const former = [
    ...(older !== id && isAskable(older) ? [{ id: older, isOwn: older === own }] : []),
    ...(own !== id && own !== older ? [{ id: own, isOwn: true }] : []),
  ];
  return { id, ...(former.length > 0 && { former }) };
}

/**
 * The id of an event from its name in the source: an object's key, a message's id, a position in a topic. A name that is too long or
 * contains unsafe characters becomes its readable beginning and a hash.
 * @param formerNames its names in older releases
 */
export function sourceId(name: string, formerNames: readonly string[] = []): EventId {
  const older = olderSourceId(name);
  if (older === name) return { id: name };
  const former = [
    ...[older, ...formerNames.map(olderSourceId)].map((id) => ({ id, isOwn: true })),
    ...(isAskable(name) ? [{ id: name, isOwn: false }] : []),
  ];
  return { id: `${RESERVED}${RESERVED}${readableBeginning(name)}${RESERVED}${sha256(JSON.stringify(name))}`, former };
}

/** The id in releases before 2026-11-28, and of all short and safe names. */
function olderSourceId(name: string): string {
  return name.startsWith('"') ? hashed(name) : boundedId(name, MAX_SOURCE_ID);
}

/** The recognizable beginning of a name, safe in a path, a header and on a terminal. */
function readableBeginning(name: string): string {
  const shown = name
    .slice(0, READABLE)
    .replace(/[^\x21-\x7e]/gu, '_')
    .replace(/(^|\/)\.{1,2}(?=\/)/g, '$1_');
  return hasDotSegment(shown) ? shown.replace(/[.%]/g, '_') : shown;
}

/** A value as text of bounded length: the key of a window. */
export function keyText(value: Json): string {
  const text = identityText(value);
  return text.length <= MAX_ID && text !== '' ? text : sha256(text);
}

/** Texts that equal the id of another value, a topic position or a hash: these are written as JSON, in quotes, to be unambiguous. */
function isMistakable(text: string): boolean {
  return isNumberText(text) || /^(?:true|false|null|["[{].*|.*-\d+-\d+|[0-9a-f]{64})$/s.test(text);
}

/** The text itself if it is short, and safe in a path, a header and on a terminal; else a hash. */
function boundedId(text: string, max = MAX_ID): string {
  const isShort = text.length <= max && text !== '';
  if (text.startsWith(RESERVED) || (isShort && !isHarmless(text))) return hashed(text);
  if (isShort) return text;
  // Ids of older releases. They would not distinguish unpaired surrogates.
  return isWellFormed(text) ? sha256(text) : hashed(text);
}

function isHarmless(text: string): boolean {
  return /^[\x20-\x7e]*$/.test(text) && text.trim() === text && !hasDotSegment(text);
}

function hashed(text: string): string {
  // JSON escapes unpaired surrogates, so each gets its own hash.
  return `${RESERVED}${sha256(JSON.stringify(text))}`;
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** Whether a run can have this id. */
function isAskable(id: string): boolean {
  return isWellFormed(id) && Buffer.byteLength(id) <= 800;
}

function isWellFormed(text: string): boolean {
  return !/\p{Cs}/u.test(text);
}
