/** Where in a task's parameters a string holds expressions, and what kind of text it is. */
export interface TemplatePlace {
  readonly path: readonly (string | number)[];
  readonly kind: TemplateKind;
}

/**
 * How the value of an expression is written into the text around it; `any-sql`: SQL with names that MySQL may read too; `expression`: the
 * text is one, for the task itself to evaluate.
 */
export type TemplateKind = 'value' | 'sql' | 'any-sql' | 'url' | 'expression';
