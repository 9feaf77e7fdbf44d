import type { Json } from '../../workflows/plan/values/json.ts';
import type { Path, Source } from '../read/source.ts';
import type { ExpressionKind } from '../../lib/schema-keywords.ts';
import type { ExpressionScope } from './expression-scope.ts';
import { findTemplates, type FoundTemplate } from './find-templates.ts';
import type { NamesRead } from './names-read.ts';
import { checkBare, type CheckedTemplate, checkTemplate } from './template-checker.ts';

/** The required value of an expression. */
interface Expected {
  fits(type: string): boolean;
  readonly words: string;
}

/** The required value of each kind of expression. */
const KINDS: Readonly<Record<ExpressionKind, Expected>> = {
  condition: { fits: (type) => type === 'bool' || type === 'dyn', words: 'a condition, true or false' },
  list: { fits: (type) => type.startsWith('list') || type === 'dyn', words: 'a list' },
  scalar: { fits: (type) => !type.startsWith('list') && !type.startsWith('map') && !type.startsWith('$'), words: 'a text or a number' },
};

/** Checks the expressions of one file. Mistakes are in its source. */
export class ExpressionChecks {
  constructor(
    private readonly source: Source,
    private readonly names: NamesRead,
  ) {}

  /** Checks a text that is an expression. @param kind the required kind of value; absent: any */
  bare(place: Parameters<typeof checkBare>[1], scope: ExpressionScope, kind?: ExpressionKind): CheckedTemplate | undefined {
    const checked = checkBare(this.source, place, scope, kind && KINDS[kind]);
    this.names.remember(checked);
    return checked;
  }

  /** Checks a text that is an expression or contains some, depending on its schema. */
  found(template: FoundTemplate, scope: ExpressionScope): CheckedTemplate | undefined {
    const inner = withNames(scope, template);
    if (template.kind === 'expression') return this.bare(template, inner, template.schema.gives as ExpressionKind | undefined);
    const checked = checkTemplate(this.source, template, inner);
    this.names.remember(checked);
    return checked;
  }

  /** Checks every text in a value. */
  all(value: Json | undefined, schema: unknown, path: Path, scope: ExpressionScope): void {
    for (const template of findTemplates(value, schema, path, 'none')) this.found(template, scope);
  }
}

/** Adds the names that a key defines, such as the metrics of a model. Its schema lists them as `names`. */
function withNames(scope: ExpressionScope, { schema }: FoundTemplate): ExpressionScope {
  const names = Array.isArray(schema.names) ? (schema.names as readonly string[]) : [];
  return names.length === 0
    ? scope
    : { ...scope, items: { ...scope.items, ...Object.fromEntries(names.map((name) => [name, 'dyn' as const])) } };
}
