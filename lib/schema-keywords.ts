/** Our own keywords, in addition to those of JSON Schema. */
export const OWN_KEYWORDS = [
  // The form that `pattern` requires, in words.
  'form',
  // The name of the key in earlier releases.
  'formerly',
  // How a text uses `{{ expressions }}`: see TEMPLATE_KINDS.
  'template',
  // The required value of an expression here: see EXPRESSION_KINDS.
  'gives',
  // The names that an expression here can use: see EXPRESSION_SCOPES.
  'reads',
  // Names that expressions here can use in addition to those of every run.
  'names',
  // It contains parameters of a run: its schema is that of the pipeline's parameters.
  'runParams',
  // The SQL may also be for MySQL.
  'mysql',
  // The text is the name of a connection.
  'connection',
  // The key next to it that contains the text of the named file.
  'holds',
] as const;

/**
 * How a text uses expressions. `value`: as its value or inside text (the default for parameters of a task); `sql`: as SQL literals; `url`:
 * as encoded parts of a URL; `expression`: the whole text is an expression, without braces; `none`: not allowed; `prose`: text for people,
 * where braces have no meaning.
 */
export const TEMPLATE_KINDS = ['value', 'sql', 'url', 'expression', 'none', 'prose'] as const;
export type TemplateKeyword = (typeof TEMPLATE_KINDS)[number];

/** The required value of an expression, if restricted. */
export const EXPRESSION_KINDS = ['condition', 'list', 'scalar'] as const;
export type ExpressionKind = (typeof EXPRESSION_KINDS)[number];

/**
 * The names that an expression can use, if they differ from those of its task: `own`: also the task's own output; `run`: the outputs of all
 * tasks; `aggregates`: those of its window.
 */
export const EXPRESSION_SCOPES = ['own', 'run', 'aggregates'] as const;
export type ExpressionReads = (typeof EXPRESSION_SCOPES)[number];
