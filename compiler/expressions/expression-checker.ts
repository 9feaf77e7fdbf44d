import { celSource } from '../../workflows/plan/expressions/sql-name.ts';
import { type Reference, syntaxFacts } from '../../workflows/plan/expressions/syntax-tree.ts';
import { callMistake } from './call-mistakes.ts';
import { baseLanguage, languageFor } from './expression-language.ts';
import type { ExpressionMistake } from './expression-mistake.ts';
import { type ExpressionScope, isRunName } from './expression-scope.ts';
import { syntaxMistake, typeMistake } from './language-mistakes.ts';
import { nameMistake } from './name-mistakes.ts';

/** Maximum nesting of loops: their costs multiply. */
const MAX_LOOPS = 2;

/** A checked expression: its CEL type and what it reads, or its mistake. */
export type CheckedExpression =
  | { readonly type: string; readonly references: readonly Reference[]; readonly mistake?: undefined }
  | { readonly mistake: ExpressionMistake };

/** Checks the syntax, names, types and cost of one expression in its scope. */
export function checkExpression(source: string, scope: ExpressionScope): CheckedExpression {
  const known = checkedAnywhere.get(source);
  if (known) return known;
  const checked = checkInScope(source, scope);
  if (!checked.mistake && checked.references.every(({ path }) => isRunName(path[0]))) {
    if (checkedAnywhere.size >= MAX_REMEMBERED) checkedAnywhere.clear();
    checkedAnywhere.set(source, checked);
  }
  return checked;
}

/** Caches valid expressions that read only run names, such as `ds`: they are valid everywhere, and occur often. */
const checkedAnywhere = new Map<string, CheckedExpression>();
const MAX_REMEMBERED = 500;

function checkInScope(source: string, scope: ExpressionScope): CheckedExpression {
  const whole = { start: 0, end: source.length };
  if (source.trim() === '') return { mistake: { ...whole, code: 'SL501', message: 'The expression is empty.', hint: 'for example ds' } };
  let facts;
  try {
    facts = syntaxFacts(baseLanguage().parse(celSource(source)).ast);
  } catch (error) {
    return { mistake: syntaxMistake(error, source) };
  }
  const call = callMistake(facts.calls);
  if (call) return { mistake: call };
  if (facts.loops > MAX_LOOPS) {
    return {
      mistake: {
        ...whole,
        code: 'SL507',
        message: `Loops are nested ${facts.loops} deep; at most ${MAX_LOOPS} are allowed.`,
        hint: 'use a task for work like this',
      },
    };
  }
  const name = nameMistake(facts.references, scope);
  if (name) return { mistake: name };
  const checked = languageFor(scope, facts.references).check(celSource(source));
  if (checked.valid) return { type: checked.type ?? 'dyn', references: facts.references };
  return { mistake: typeMistake(checked.error, source) };
}
