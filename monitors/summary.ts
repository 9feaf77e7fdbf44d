import { timeText } from '../workflows/plan/values/format.ts';

/** What is wrong comes first, and in so many characters: more is cut off on a phone. The details have all of it. */
const HEADLINE = 80;

/** What is wrong, as a page begins: `is late: …` becomes `Late: …`. @param what the end of a sentence that begins with what it is about */
export function headlineOf(what: string): string {
  const words = what.replace(/^is /, '');
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}`;
}

/** Cuts a headline to what a phone shows. */
export function cutHeadline(headline: string): string {
  return headline.length > HEADLINE ? `${headline.slice(0, HEADLINE - 1)}…` : headline;
}

/** The summary of a page. @param about what it is about, and further facts @param since milliseconds */
export function summaryOf(headline: string, about: readonly string[], since: number): string {
  return `${headline} | ${[...about, `since ${timeText(since)}`].join(', ')}`;
}
