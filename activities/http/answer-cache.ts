import { createHash } from 'node:crypto';
import type { HttpAnswer, HttpService } from '../../lib/http.ts';
import { exactJsonText, parseExactJson } from '../../workflows/plan/values/exact-json.ts';
import { canonicalJson, type Json, type JsonObject } from '../../workflows/plan/values/json.ts';

/** The parts of a GET request that may change its answer. */
export interface CachedRequest {
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Json;
  readonly form?: JsonObject;
}

interface Entry {
  /** As JSON text: its size is known, and each reader gets a copy. */
  readonly answer: string;
  readonly until: number;
}

/** Keeps answers of services in memory for a limited time. If they take too much, those that were not read for the longest time go first. */
export class AnswerCache {
  private readonly entries = new Map<string, Entry>();
  private characters = 0;

  /**
   * @param most the size of all answers together, in characters of JSON
   * @param now a clock that never goes back, in milliseconds; tests pass their own
   */
  constructor(
    private readonly most: number,
    private readonly now: () => number = () => performance.now(),
  ) {}

  get(key: string): HttpAnswer | undefined {
    const entry = this.entries.get(key);
    if (!entry) return undefined;
    this.delete(key);
    if (entry.until <= this.now()) return undefined;
    this.insert(key, entry);
    return parseExactJson(entry.answer) as unknown as HttpAnswer;
  }

  /** Keeps an answer for `maxAgeMs`, or for less if its headers allow less. */
  set(key: string, answer: HttpAnswer, maxAgeMs: number): void {
    this.delete(key);
    const ageMs = Math.min(maxAgeMs, allowedAgeMs(answer.headers));
    if (ageMs <= 0) return;
    const text = exactJsonText(answer);
    if (text.length <= this.most) this.insert(key, { answer: text, until: this.now() + ageMs });
  }

  private insert(key: string, entry: Entry): void {
    this.entries.set(key, entry);
    this.characters += entry.answer.length;
    for (const oldest of this.entries.keys()) {
      if (this.characters <= this.most) break;
      this.delete(oldest);
    }
  }

  private delete(key: string): void {
    this.characters -= this.entries.get(key)?.answer.length ?? 0;
    this.entries.delete(key);
  }
}

/** A key that two requests share only if a service must answer both alike. A hash, so that no token is kept. */
export function cacheKey(service: HttpService, { path, headers = {}, body, form }: CachedRequest): string {
  const names = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
  const request = { service: { ...service }, path, headers: names, ...(body !== undefined && { body }), ...(form && { form }) };
  return createHash('sha256').update(canonicalJson(request)).digest('hex');
}

/** How long the service allows to keep its answer, in milliseconds (RFC 9111, 5.2.2); Infinity if it does not say. */
function allowedAgeMs(headers: HttpAnswer['headers']): number {
  const directives = (headers['cache-control'] ?? '').split(',').map((each) => each.trim().toLowerCase());
  if (headers.vary?.trim() === '*' || directives.some((each) => /^no-(?:store|cache)(?:$|=)/.test(each))) return 0;
  const [, seconds] = directives.map((each) => /^max-age="?(\d+)"?$/.exec(each)).find((match) => match !== null) ?? [];
  return seconds === undefined ? Infinity : Number(seconds) * 1_000;
}
