/** The location of a string with expressions in a task's parameters, and the kind of its text. */
export interface TemplatePlace {
  readonly path: readonly (string | number)[];
  readonly kind: TemplateKind;
}

/**
 * How the value of an expression is written into the surrounding text. `any-sql`: SQL with names that MySQL may read too. `expression`: the
 * text is an expression that the task evaluates itself.
 */
export type TemplateKind = 'value' | 'sql' | 'any-sql' | 'url' | 'expression';
