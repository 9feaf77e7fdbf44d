import { createHash } from 'node:crypto';
import { hasDotSegment } from '../../workflows/plan/values/dot-segments.ts';
import { identityText } from '../../workflows/plan/values/exact-json.ts';
import { isNumberText, type Json } from '../../workflows/plan/values/json.ts';
import type { Plan } from '../../workflows/plan/plan.ts';
import type { TriggerPlan } from '../../workflows/plan/trigger.ts';

/** Longer ids become their hash: a workflow id may have 1,000 bytes, and people read it. In characters. */
const MAX_ID = 200;

/** Sources have longer names for events, such as the keys of objects. In characters. */
const MAX_SOURCE_ID = 400;

/** So much of a longer name is shown, in characters. */
const READABLE = 60;

/** Begins ids that no source and no older release makes. */
const RESERVED = '~';

/** What tells an event from all others of its pipeline and kind of trigger, as part of a run's id: ASCII without controls, and bounded. */
export interface EventId {
  readonly id: string;
  /** The ids that its run may have instead, when it was started before. Most have none. */
  readonly former?: readonly FormerId[];
}

/** An id under which the run of an event may be there already. */
export interface FormerId {
  readonly id: string;
  /** Whether this trigger itself has used it for this very event; else only an older release has. */
  readonly isOwn: boolean;
}

/**
 * The id of an event by its deduplication key. A value has one id, and each id one value of one trigger: `1` and `"1"` are two. Ids of older
 * releases stay where they mean one value only.
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
 * The id of an event by what its source calls it: an object's key, a message's id, a place in a topic. What is too long or not harmless is its
 * readable beginning and its hash.
 * @param formerNames what its source called it in older releases
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

/** The id of releases before 2026-11-28, and of all names that are short and harmless. */
function olderSourceId(name: string): string {
  return name.startsWith('"') ? hashed(name) : boundedId(name, MAX_SOURCE_ID);
}

/** What people recognize a name by, harmless in a path, a header and on a terminal. */
function readableBeginning(name: string): string {
  const shown = name
    .slice(0, READABLE)
    .replace(/[^\x21-\x7e]/gu, '_')
    .replace(/(^|\/)\.{1,2}(?=\/)/g, '$1_');
  return hasDotSegment(shown) ? shown.replace(/[.%]/g, '_') : shown;
}

/** A value as a text of bounded length: the key of a window. */
export function keyText(value: Json): string {
  const text = identityText(value);
  return text.length <= MAX_ID && text !== '' ? text : sha256(text);
}

/** Texts that another value, a place in a topic or a hash could have for an id: as JSON they are in quotes, as nothing else is. */
function isMistakable(text: string): boolean {
  return isNumberText(text) || /^(?:true|false|null|["[{].*|.*-\d+-\d+|[0-9a-f]{64})$/s.test(text);
}

/** The text itself where it is short, and harmless in a path, a header and on a terminal. */
function boundedId(text: string, max = MAX_ID): string {
  const isShort = text.length <= max && text !== '';
  if (text.startsWith(RESERVED) || (isShort && !isHarmless(text))) return hashed(text);
  if (isShort) return text;
  // Ids of older releases; halves of surrogate pairs would be one and the same in them.
  return isWellFormed(text) ? sha256(text) : hashed(text);
}

function isHarmless(text: string): boolean {
  return /^[\x20-\x7e]*$/.test(text) && text.trim() === text && !hasDotSegment(text);
}

function hashed(text: string): string {
  // JSON writes halves of surrogate pairs as escapes: each has its own hash.
  return `${RESERVED}${sha256(JSON.stringify(text))}`;
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** Whether a run can have had this id. */
function isAskable(id: string): boolean {
  return isWellFormed(id) && Buffer.byteLength(id) <= 800;
}

function isWellFormed(text: string): boolean {
  return !/\p{Cs}/u.test(text);
}
