import type { JinjaNames } from './jinja-names.ts';
import { convertExpression } from './jinja-to-cel.ts';
import { NoEquivalent, parseJinja } from './jinja-syntax.ts';
import { type NameSpan, nameSpans } from './sql-name-spans.ts';
import { asText, operand, truth, type Value } from './jinja-values.ts';

/** A text with translated expressions. `lost`: expressions without an equivalent, with the reason. */
export interface Translation {
  readonly text: string;
  readonly lost: readonly string[];
}

const TEMPLATE = /\{\{([^]*?)\}\}|\{%([^]*?)%\}|\{#[^]*?#\}/g;

/** Whether `text` contains Jinja. */
export function isJinja(text: string): boolean {
  return /\{\{|\{%|\{#/.test(text);
}

/**
 * Translates the Jinja in `text`.
 * @param isSql whether the text is SQL: there a value becomes a literal of its type, and `if` is not supported
 */
export function translateJinja(text: string, names: JinjaNames, isSql = false): Translation {
  const lost: string[] = [];
  const translator = new Translator(names, lost, isSql);
  const pieces = translator.pieces(text);
  const translated = pieces.map((piece) => (typeof piece === 'string' ? piece : `{{ ${piece.cel} }}`)).join('');
  // Unmatched braces would be read as expressions.
  if (lost.length === 0 && pieces.some((piece) => typeof piece === 'string' && isJinja(piece)))
    lost.push(`${text}, whose braces are not closed`);
  return { text: lost.length > 0 ? text : translated, lost };
}

/** Part of a text: literal text, or a value. */
type Piece = string | Value;

/** An `if` block that is being read. */
interface OpenChoice {
  readonly before: Piece[];
  readonly branches: { readonly condition: string; readonly pieces: readonly Piece[] }[];
  condition: string;
}

class Translator {
  private readonly set = new Map<string, Value>();

  constructor(
    private readonly names: JinjaNames,
    private readonly lost: string[],
    private readonly isSql: boolean,
  ) {}

  pieces(text: string): readonly Piece[] {
    let pieces: Piece[] = [];
    const open: OpenChoice[] = [];
    let from = 0;
    const names = this.isSql ? nameSpans(text) : [];
    for (const match of text.matchAll(TEMPLATE)) {
      const [whole, expression, statement] = match;
      if (match.index < from) continue;
      const span = names.find(({ start, end }) => start <= match.index && match.index < end);
      const name = span && this.nameOf(span);
      if (name) {
        pieces.push(text.slice(from, span.start), name);
        from = span.end;
        continue;
      }
      if (match.index > from) pieces.push(text.slice(from, match.index));
      from = match.index + whole.length;
      try {
        if (expression !== undefined) {
          const value = this.valueOf(expression);
          if (this.isSql && isPiece(value, text.slice(0, match.index))) {
            this.lost.push(`${whole} without quotes: in Airflow it is part of the SQL, here it would be one value`);
            return [];
          }
          if (typeof value.constant === 'string') pieces.push(value.constant);
          else if (!this.isSql && (value.kind === 'number' || value.kind === 'boolean'))
            // A text in Airflow, which a key that takes text needs here too.
            pieces.push({ cel: asText(value), kind: 'text' });
          else if (value.zone !== undefined) pieces.push({ cel: asText(value), kind: 'text' });
          else if (value.dayOnly) throw new NoEquivalent();
          else pieces.push(value);
        } else if (statement !== undefined) {
          pieces = this.statement(statement.replace(/^-|-$/g, '').trim(), pieces, open);
        }
      } catch (error) {
        if (!(error instanceof NoEquivalent)) throw error;
        this.lost.push(`${whole}, which is not available in a run`);
        return [];
      }
    }
    if (open.length > 0) this.lost.push(`${text}, whose {% if %} has no {% endif %}`);
    return from < text.length ? [...pieces, text.slice(from)] : pieces;
  }

  private valueOf(expression: string): Value {
    return convertExpression(parseJinja(expression.replace(/^-|-$/g, '')), this.names, this.set);
  }

  /** Converts a table name to the form of `ident()`; undefined if part of it has no equivalent, or if its value is constant. */
  private nameOf({ parts }: NameSpan): Value | undefined {
    let isKnown = true;
    try {
      const names = parts.map((part) =>
        part
          .map((piece) => {
            if ('text' in piece) return JSON.stringify(piece.text);
            const value = this.valueOf(piece.expression);
            if (value.dayOnly || this.hasCapitals(value)) throw new NoEquivalent();
            if (typeof value.constant === 'string') return JSON.stringify(value.constant);
            isKnown = false;
            return asText(value);
          })
          .join(' + '),
      );
      return isKnown ? undefined : { cel: `ident(${names.join(', ')})`, kind: 'text' };
    } catch (error) {
      if (error instanceof NoEquivalent) return undefined;
      throw error;
    }
  }

  /** Whether a name has capital letters: servers read them as small ones, but not in the quotes that ident() writes. */
  private hasCapitals({ cel, constant }: Value): boolean {
    return [...this.names.params.values()].some(
      ({ name, hasCapitals }) => hasCapitals && cel === `params.${name}` && constant === undefined,
    );
  }

  /** @returns the list that receives the next pieces */
  private statement(statement: string, pieces: Piece[], open: OpenChoice[]): Piece[] {
    const [, word = '', rest = ''] = /^(\w+)\s*([^]*)$/.exec(statement) ?? [];
    const choice = open.at(-1);
    if (word === 'set') {
      const [, name, expression] = /^([A-Za-z_]\w*)\s*=([^]+)$/.exec(rest) ?? [];
      if (name === undefined || expression === undefined || choice) throw new NoEquivalent();
      this.set.set(name, this.valueOf(expression));
      return pieces;
    }
    // In SQL a value is a literal and cannot be part of the statement.
    if (this.isSql) throw new NoEquivalent();
    if (word === 'if') {
      open.push({ before: pieces, branches: [], condition: truth(this.valueOf(rest)) });
      return [];
    }
    if (!choice) throw new NoEquivalent();
    choice.branches.push({ condition: choice.condition, pieces });
    if (word === 'elif') choice.condition = truth(this.valueOf(rest));
    else if (word === 'else') choice.condition = '';
    else if (word === 'endif') {
      open.pop();
      return [...choice.before, chosen(choice.branches)];
    } else throw new NoEquivalent();
    return [];
  }
}

/** Whether a user-provided text is outside quotes in SQL, as a name, list or condition. @param before the SQL before it */
function isPiece({ kind, cel, constant }: Value, before: string): boolean {
  const isGiven = constant === undefined && (kind === 'text' || kind === 'any') && cel.includes('params.');
  return isGiven && (before.match(/'/g)?.length ?? 0) % 2 === 0 && (before.match(/"/g)?.length ?? 0) % 2 === 0;
}

function chosen(branches: OpenChoice['branches']): Value {
  const otherwise = branches.at(-1)?.condition === '' ? branches.at(-1) : undefined;
  const conditions = otherwise ? branches.slice(0, -1) : branches;
  const cel = conditions.reduceRight(
    (rest, { condition, pieces }) => `${condition} ? ${joined(pieces)} : ${rest}`,
    joined(otherwise?.pieces ?? []),
  );
  return { cel, kind: 'text' };
}

function joined(pieces: readonly Piece[]): string {
  const parts = pieces.map((piece) => (typeof piece === 'string' ? JSON.stringify(piece) : asText(piece)));
  return parts.length === 0 ? '""' : parts.length === 1 ? (parts[0] ?? '') : operand({ cel: parts.join(' + '), kind: 'text' });
}
