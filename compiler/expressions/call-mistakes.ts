import { formatMistake } from '../../workflows/plan/expressions/date-format.ts';
import { nameMistake as sqlNameMistake } from '../../workflows/plan/expressions/sql-name.ts';
import type { syntaxFacts } from '../../workflows/plan/expressions/syntax-tree.ts';
import { parseMoment } from '../../workflows/plan/timetable/moment.ts';
import { isTimeZone } from '../../workflows/plan/timetable/time-zone.ts';
import { zoneHint } from '../mistakes/zone-hint.ts';
import type { ExpressionMistake } from './expression-mistake.ts';

/** Hints for functions that are not allowed: cel-js runs regular expressions with backtracking. */
const REFUSED_CALLS: Readonly<Record<string, string>> = {
  matches: 'use like: "abc".like("a%")',
};

/** Checks the functions that an expression calls, using their literal arguments. */
export function callMistake(calls: ReturnType<typeof syntaxFacts>['calls']): ExpressionMistake | undefined {
  for (const { name, start, end, literals } of calls) {
    const day = takesDates(name) ? literals.find((each) => each !== undefined && isNoDay(each)) : undefined;
    if (day !== undefined) return { start, end, code: 'SL503', message: `'${day}' is a day or a time that does not exist.` };
    const noTime = timeMistake(name, literals);
    if (noTime) return { start, end, code: 'SL503', ...noTime };
    const noName = name === 'ident' ? literals.map((each) => each !== undefined && sqlNameMistake(each)).find(Boolean) : undefined;
    if (noName) return { start, end, code: 'SL510', message: `${noName[0]?.toUpperCase()}${noName.slice(1)}.` };
    const pattern = name === 'date' ? literals[1] : undefined;
    const mistaken = pattern === undefined ? undefined : formatMistake(pattern);
    if (mistaken) return { start, end, code: 'SL507', ...mistaken };
    const instead = REFUSED_CALLS[name];
    if (instead !== undefined) {
      return {
        start,
        end,
        code: 'SL507',
        message: `'${name}' is not supported: it can take too long on some texts.`,
        hint: instead,
      };
    }
  }
  return undefined;
}

/** Whether the text arguments of a function are dates or times. */
function takesDates(name: string): boolean {
  return name === 'timestamp' || name === 'daysBetween' || name === 'dayOfWeek' || /^(?:date|add|startOf|endOf)/.test(name);
}

/** A literal that a function of dates or times refuses in every run. */
function timeMistake(name: string, literals: readonly (string | undefined)[]): { message: string; hint?: string } | undefined {
  const [first] = literals;
  if (name === 'timestamp') {
    if (first === undefined || /T.*(?:Z|[+-]\d{2}:\d{2})$/.test(first)) return undefined;
    const day = /^\d{4}-\d{2}-\d{2}$/.test(first);
    return { message: `'${first}' is not a time with its zone.`, ...(day && { hint: `write timestamp("${first}T00:00:00Z")` }) };
  }
  if (name === 'duration') {
    const [, days] = /^(\d+)d$/.exec(first ?? '') ?? [];
    if (first === undefined || /^-?(?:\d+(?:\.\d+)?(?:h|m|s|ms|us|ns))+$/.test(first)) return undefined;
    return {
      message: `'${first}' is not a duration of hours, minutes and seconds.`,
      hint: days === undefined ? 'for example duration("1h30m")' : `write duration("${24 * Number(days)}h"), or addDays(x, ${days})`,
    };
  }
  if (!takesDates(name)) return undefined;
  const zone = literals.length > zoneAt(name) ? literals.at(-1) : undefined;
  if (zone !== undefined && !isTimeZone(zone))
    return {
      message: `'${zone}' is not a time zone such as UTC or Europe/Berlin.`,
      hint: zoneHint(zone) ?? 'leave it out for the zone of the pipeline',
    };
  const given = literals
    .slice(0, name === 'daysBetween' ? 2 : 1)
    .find((each) => each !== undefined && parseMoment(each, 'UTC') === undefined);
  return given === undefined ? undefined : { message: `'${given}' is not a day or a time.`, hint: 'for example ds, or "2024-01-31"' };
}

/** How many arguments a function of dates has before its zone. */
function zoneAt(name: string): number {
  return name === 'date' || name === 'daysBetween' || name.startsWith('add') ? 2 : 1;
}

function isNoDay(text: string): boolean {
  return /^\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}.*)?$/.test(text) && parseMoment(text, 'UTC') === undefined;
}
