import type { Json } from '../../workflows/plan/values/json.ts';
import type { Path, Source } from '../read/source.ts';
import type { ExpressionScope } from './expression-scope.ts';
import { findTemplates, type FoundTemplate } from './find-templates.ts';
import type { NamesRead } from './names-read.ts';
import { checkBare, type CheckedTemplate, checkTemplate } from './template-checker.ts';

/** What the value of an expression has to be. */
export interface ExpectedType {
  fits(type: string): boolean;
  readonly words: string;
}

export const BOOLEAN: ExpectedType = { fits: (type: string) => type === 'bool' || type === 'dyn', words: 'a condition, true or false' };
export const LIST: ExpectedType = { fits: (type: string) => type.startsWith('list') || type === 'dyn', words: 'a list' };
export const SCALAR: ExpectedType = {
  fits: (type: string) => !type.startsWith('list') && !type.startsWith('map') && !type.startsWith('$'),
  words: 'a text or a number',
};

/** Checks expressions of one file. Mistakes are in its source. */
export class ExpressionChecks {
  constructor(
    private readonly source: Source,
    private readonly names: NamesRead,
  ) {}

  /** A text that is an expression. */
  bare(place: Parameters<typeof checkBare>[1], scope: ExpressionScope, expected?: ExpectedType): CheckedTemplate | undefined {
    const checked = checkBare(this.source, place, scope, expected);
    this.names.remember(checked);
    return checked;
  }

  /** A text that is an expression, or holds some, as its schema says. */
  found(template: FoundTemplate, scope: ExpressionScope, expected?: ExpectedType): CheckedTemplate | undefined {
    const inner = withNames(scope, template);
    const checked =
      template.kind === 'expression' ? checkBare(this.source, template, inner, expected) : checkTemplate(this.source, template, inner);
    this.names.remember(checked);
    return checked;
  }

  /** Every text in a value. */
  all(value: Json | undefined, schema: unknown, path: Path, scope: ExpressionScope): void {
    for (const template of findTemplates(value, schema, path, 'none')) this.found(template, scope, BOOLEAN);
  }
}

/** The names that a key brings of its own, such as the metrics of a model: its schema lists them as `names`. */
function withNames(scope: ExpressionScope, { schema }: FoundTemplate): ExpressionScope {
  const names = Array.isArray(schema.names) ? (schema.names as readonly string[]) : [];
  return names.length === 0
    ? scope
    : { ...scope, items: { ...scope.items, ...Object.fromEntries(names.map((name) => [name, 'dyn' as const])) } };
}
