import { formatMistake } from '../../workflows/plan/expressions/date-format.ts';
import { nameMistake as sqlNameMistake } from '../../workflows/plan/expressions/sql-name.ts';
import type { syntaxFacts } from '../../workflows/plan/expressions/syntax-tree.ts';
import { parseMoment } from '../../workflows/plan/timetable/moment.ts';
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

function isNoDay(text: string): boolean {
  return /^\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}.*)?$/.test(text) && parseMoment(text, 'UTC') === undefined;
}
