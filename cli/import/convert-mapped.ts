import { isMap, type Json, type JsonObject } from '../../workflows/plan/values/json.ts';
import { isJinja } from './jinja.ts';

/** The keys of a task that is mapped over a list, with `item` where the elements differ. */
export interface Mapped {
  readonly keys: JsonObject;
  readonly expand: { readonly over: readonly Json[]; readonly as: 'item' };
}

/**
 * Converts `expand: {endpoint: [a, b]}`: one argument with a literal list.
 * @param convert the keys of one element; undefined where it cannot be converted
 * @returns undefined for every other form
 */
export function convertMapped(expand: Json, convert: (name: string, each: Json) => JsonObject | undefined): Mapped | undefined {
  const entries = isMap(expand) ? Object.entries(expand) : [];
  const [entry] = entries;
  if (!entry || entries.length !== 1) return undefined;
  const [name, list] = entry;
  if (!Array.isArray(list) || list.length === 0) return undefined;
  const each = list.map((element: Json) => (typeof element === 'string' && !isJinja(element) ? convert(name, element) : undefined));
  const [first] = each;
  const key = Object.keys(first ?? {})[0];
  if (first === undefined || key === undefined || Object.keys(first).length !== 1) return undefined;
  const values = each.map((keys) => keys?.[key]);
  const merged = mergeValues(values);
  return merged && { keys: { [key]: merged.value }, expand: { over: merged.over, as: 'item' } };
}

/** Replaces what differs with `item`: a text, or one word in a list of words. */
function mergeValues(values: readonly (Json | undefined)[]): { readonly value: Json; readonly over: readonly Json[] } | undefined {
  if (values.every((value) => typeof value === 'string')) return { value: '{{ item }}', over: values };
  const lists = values.flatMap((value) => (Array.isArray(value) ? [value as readonly Json[]] : []));
  const [first = []] = lists;
  if (lists.length < values.length || lists.some(({ length }) => length !== first.length)) return undefined;
  const differing = first.flatMap((word, index) => (lists.every((list) => list[index] === word) ? [] : [index]));
  const [at] = differing;
  // The program must be known before a run, so the first word cannot vary.
  if (at === undefined || at === 0 || differing.length > 1) return undefined;
  return { value: first.with(at, '{{ item }}'), over: lists.map((list) => list[at] ?? null) };
}
