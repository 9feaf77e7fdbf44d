import { timeText } from '../workflows/plan/values/format.ts';

/** Maximum length of a headline: phones cut off the rest. The details contain the full text. */
const HEADLINE = 80;

/** Turns a problem into a headline: `is late: …` becomes `Late: …`. @param what the end of a sentence that starts with the subject */
export function headlineOf(what: string): string {
  const words = what.replace(/^is /, '');
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}`;
}

/** Shortens a headline to the width of a phone. */
export function cutHeadline(headline: string): string {
  return headline.length > HEADLINE ? `${headline.slice(0, HEADLINE - 1)}…` : headline;
}

/** The summary of a page. @param about the subject and further facts @param since milliseconds */
export function summaryOf(headline: string, about: readonly string[], since: number): string {
  return `${headline} | ${[...about, `since ${timeText(since)}`].join(', ')}`;
}
