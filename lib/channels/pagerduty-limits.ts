import { createHash } from 'node:crypto';
import { cutBytes } from '../cut-bytes.ts';

/** Limits of PagerDuty's Events API v2, in bytes and characters: https://developer.pagerduty.com/docs/events-api-v2/trigger-events/ */
export const SUMMARY_BYTES = 1_024;
const KEY_CHARACTERS = 255;

/** Converts a text to an event summary: one line, cut to the limit; '' stays ''. */
export function fitSummary(text: string): string {
  return cutBytes(text.replace(/[\s\p{Cc}]+/gu, ' ').trim(), SUMMARY_BYTES);
}

/** Converts a key to a valid deduplication key: a long key is cut and ends with its hash. */
export function fitKey(key: string): string {
  if (key.length <= KEY_CHARACTERS && !/\p{Cc}/u.test(key)) return key;
  const hash = createHash('sha256').update(key).digest('hex').slice(0, 32);
  return `${Array.from(key.replace(/\p{Cc}/gu, ' '))
    .slice(0, 100)
    .join('')}-${hash}`;
}
