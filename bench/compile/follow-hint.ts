import { parseDocument, visit } from 'yaml';
import type { Diagnostic } from '../../compiler/mistakes/diagnostic.ts';

/** Suggestions that replace the marked text with one word or text. */
const FOLLOWED = [
  /^(?:did you mean|use) '([^']+)'\??$/,
  /^put it in quotes: (".*"|'.*')$/,
  /^leave the quotes out: (\S+)$/,
  /^write it as a list: (\[.*\])$/,
  /^write (\S+)(?: for \d+ seconds)?$/,
];

/** Mistakes in names: of keys, of a fixed set, and of references. Replacing them does not change data. */
const NAMES: ReadonlySet<string> = new Set([
  'SL201',
  'SL204',
  'SL207',
  'SL302',
  'SL306',
  'SL401',
  'SL502',
  'SL504',
  'SL505',
  'SL506',
  'SL507',
]);

/** Applies a suggestion to the document; undefined if it does not replace the marked text. */
export function followHint(text: string, { hint = '', line, column, length }: Diagnostic): string | undefined {
  const other = FOLLOWED.map((form) => form.exec(hint)?.[1]).find((word) => word !== undefined);
  const lines = text.split('\n');
  const marked = lines[line - 1];
  if (other === undefined || marked === undefined) return undefined;
  const from = column - 1;
  return [...lines.slice(0, line - 1), marked.slice(0, from) + other + marked.slice(from + length), ...lines.slice(line)].join('\n');
}

/** Describes how an applied suggestion changed the data of a document, such as `'007' is now '7'`; undefined if it did not. */
export function changedData(before: string, after: string, { code }: Diagnostic): string | undefined {
  const [was, is] = [dataOf(before), dataOf(after)];
  if (NAMES.has(code)) return was.length === is.length ? undefined : `${was.length} values are now ${is.length}`;
  const at = was.findIndex((value, index) => value !== is[index]);
  return at < 0 && was.length === is.length ? undefined : `'${was[at]}' is now '${is[at]}'`;
}

/** The values of a document without keys, as written; durations are normalized to one unit. */
function dataOf(text: string): string[] {
  const data: string[] = [];
  visit(parseDocument(text, { logLevel: 'silent', prettyErrors: false }), {
    Scalar(key, { source, value }) {
      if (key !== 'key') data.push(source ?? String(value));
    },
  });
  return data.map(inSeconds);
}

const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

function inSeconds(text: string): string {
  const parts = [...text.replaceAll(' ', '').matchAll(/(\d+)([smhd])/g)];
  if (parts.length === 0 || parts.map(([part]) => part).join('') !== text.replaceAll(' ', '')) return text;
  return String(parts.reduce((sum, [, amount = '0', unit = 's']) => sum + Number(amount) * (SECONDS[unit] ?? 0), 0));
}
