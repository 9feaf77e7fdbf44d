import { fitSummary, SUMMARY_BYTES } from '../lib/channels/pagerduty-limits.ts';
import { cutBytes } from '../lib/cut-bytes.ts';
import { scrub, type Scrubber } from '../lib/scrubbing/scrub.ts';
import type { Page } from '../workflows/plan/incidents/incident.ts';
import type { Json, JsonObject } from '../workflows/plan/values/json.ts';

/** PagerDuty's limit for an event, in bytes: see lib/channels/pagerduty-limits.ts. */
const PAGE_BYTES = 512 * 1_024;
/** Leaves space for the rest of the message. */
const DETAILS_BYTES = PAGE_BYTES - 32 * 1_024;
const LINKS = 20;
const LINK_BYTES = 2_048;

/** A page that every channel accepts: within the size limits, and without secrets. */
export function fitPage(page: Page, secrets?: Scrubber): Page {
  const clean = (text: string): string => scrub(text, secrets);
  const summary = fitSummary(clean(page.summary));
  return {
    ...page,
    summary: summary === '' ? 'Unnamed problem.' : summary,
    source: cutBytes(clean(page.source) || 'sluice', SUMMARY_BYTES),
    kind: cutBytes(clean(page.kind), SUMMARY_BYTES),
    details: fitDetails(cleanValue(page.details, clean) as JsonObject),
    links: page.links
      .filter(({ href }) => /^https?:\/\//.test(href) && href.length <= LINK_BYTES)
      .slice(0, LINKS)
      .map(({ href, text }) => ({ href: clean(href), text: cutBytes(clean(text), LINK_BYTES) })),
  };
}

function cleanValue(value: Json, clean: (text: string) => string): Json {
  if (typeof value === 'string') return clean(Buffer.from(value).toString());
  if (Array.isArray(value)) return (value as readonly Json[]).map((each) => cleanValue(each, clean));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value as Record<string, Json>).map(([key, each]) => [key, cleanValue(each, clean)]));
}

/** Cuts the longest texts and lists step by step until the details fit. */
function fitDetails(details: JsonObject): JsonObject {
  let fitted: Json = details;
  for (let longest = 65_536; sizeOf(fitted) > DETAILS_BYTES && longest >= 16; longest /= 4) fitted = shortened(details, longest);
  return sizeOf(fitted) <= DETAILS_BYTES ? (fitted as JsonObject) : { note: 'The details are too large to send.' };
}

function shortened(value: Json, longest: number): Json {
  if (typeof value === 'string') return cutBytes(value, longest);
  if (Array.isArray(value)) {
    const list = value as readonly Json[];
    const kept = list.slice(0, longest).map((each) => shortened(each, longest));
    return kept.length < list.length ? [...kept, `… and ${list.length - kept.length} more`] : kept;
  }
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value as Record<string, Json>)
      .slice(0, longest)
      .map(([key, each]) => [cutBytes(key, longest), shortened(each, longest)]),
  );
}

function sizeOf(value: Json): number {
  return Buffer.byteLength(JSON.stringify(value));
}
