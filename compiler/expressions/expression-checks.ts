import type { Json } from '../../workflows/plan/values/json.ts';
import type { Path, Source } from '../read/source.ts';
import type { ExpressionKind } from '../schema/json-schema.ts';
import type { ExpressionScope } from './expression-scope.ts';
import { findTemplates, type FoundTemplate } from './find-templates.ts';
import type { NamesRead } from './names-read.ts';
import { checkBare, type CheckedTemplate, checkTemplate } from './template-checker.ts';

/** What the value of an expression has to be. */
interface Expected {
  fits(type: string): boolean;
  readonly words: string;
}

/** What fits each kind of expression. */
const KINDS: Readonly<Record<ExpressionKind, Expected>> = {
  condition: { fits: (type) => type === 'bool' || type === 'dyn', words: 'a condition, true or false' },
  list: { fits: (type) => type.startsWith('list') || type === 'dyn', words: 'a list' },
  scalar: { fits: (type) => !type.startsWith('list') && !type.startsWith('map') && !type.startsWith('$'), words: 'a text or a number' },
};

/** Checks expressions of one file. Mistakes are in its source. */
export class ExpressionChecks {
  constructor(
    private readonly source: Source,
    private readonly names: NamesRead,
  ) {}

  /** A text that is an expression. @param kind what it has to give; absent: any value */
  bare(place: Parameters<typeof checkBare>[1], scope: ExpressionScope, kind?: ExpressionKind): CheckedTemplate | undefined {
    const checked = checkBare(this.source, place, scope, kind && KINDS[kind]);
    this.names.remember(checked);
    return checked;
  }

  /** A text that is an expression, or holds some, as its schema says. */
  found(template: FoundTemplate, scope: ExpressionScope): CheckedTemplate | undefined {
    const inner = withNames(scope, template);
    if (template.kind === 'expression') return this.bare(template, inner, template.schema.gives as ExpressionKind | undefined);
    const checked = checkTemplate(this.source, template, inner);
    this.names.remember(checked);
    return checked;
  }

  /** Every text in a value. */
  all(value: Json | undefined, schema: unknown, path: Path, scope: ExpressionScope): void {
    for (const template of findTemplates(value, schema, path, 'none')) this.found(template, scope);
  }
}

/** The names that a key brings of its own, such as the metrics of a model: its schema lists them as `names`. */
function withNames(scope: ExpressionScope, { schema }: FoundTemplate): ExpressionScope {
  const names = Array.isArray(schema.names) ? (schema.names as readonly string[]) : [];
  return names.length === 0
    ? scope
    : { ...scope, items: { ...scope.items, ...Object.fromEntries(names.map((name) => [name, 'dyn' as const])) } };
}
