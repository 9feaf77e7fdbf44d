/** An error with Redshift's message. */
export class RedshiftError extends Error {
  readonly code: string;

  constructor(code: string, text: string) {
    super(text);
    this.code = code;
  }
}

/** PostgreSQL syntax that Redshift lacks or treats differently: rejected, so that no code relies on it unnoticed. */
const REFUSED: readonly (readonly [RegExp, string])[] = [
  [/\b(E|U&)''/i, 'type "e" does not exist: every text takes escapes'],
  [/\bON\s+CONFLICT\b/i, 'syntax error at or near "CONFLICT"'],
  [/\bON\s+COMMIT\b/i, 'syntax error at or near "COMMIT"'],
  [/\bRETURNING\b/i, 'syntax error at or near "RETURNING"'],
  [/\bCOPY\b.*\bFROM\s+STDIN\b/is, 'COPY FROM STDIN is not supported'],
  [/\bCOPY\b.*\bTO\s+STDOUT\b/is, 'COPY TO STDOUT is not supported; use UNLOAD'],
  [/\bLOCK\b.*\bMODE\b/is, 'syntax error at or near "IN": LOCK has one mode'],
  [/\bTRUNCATE\b/i, 'TRUNCATE would commit the transaction: the stand-in does not carry it out'],
  [/^\s*DO\b/i, 'syntax error at or near "DO"'],
  [/\bLATERAL\b/i, 'syntax error at or near "LATERAL"'],
  [/\bFILTER\s*\(/i, 'syntax error at or near "FILTER"'],
  [/\bIS\s+(NOT\s+)?DISTINCT\s+FROM\b/i, 'syntax error at or near "DISTINCT"'],
  [/\bCREATE\s+(UNIQUE\s+)?INDEX\b/i, 'SQL command "CREATE INDEX" not supported'],
  [/\bGENERATED\s+ALWAYS\b/i, 'syntax error at or near "ALWAYS"'],
  [/\b(big|small)?serial\b/i, 'Column type "serial" is not supported; use IDENTITY'],
  [/\bjsonb?\b|\bjsonb?_\w+\(|\b\w+\[\]/i, 'type "json" does not exist'],
  [/\bpg_(try_)?advisory_\w+/i, 'function pg_advisory_lock() does not exist'],
  [/\bto_reg\w+\s*\(/i, 'function to_regclass(unknown) does not exist'],
  [/\bset_config\b.*\bpg_settings\b/is, 'permission denied for relation pg_settings'],
  [/\bhashtext\w*\s*\(|\bgen_random_uuid\b|\bunnest\s*\(|\bstring_agg\b/i, 'function does not exist'],
  [/\battidentity\b|\battgenerated\b|\brelispartition\b/i, 'column "attidentity" does not exist'],
  [
    /\b(now|clock_timestamp|statement_timestamp)\s*\(|\bcurrent_timestamp\b/i,
    'Specified function is not supported on Redshift tables: use getdate()',
  ],
  [/\bintervalstyle\b|\bbytea_output\b|\bxmloption\b|\block_timeout\b/i, 'unrecognized configuration parameter'],
];

/** Comments, nested at most once; texts with backslash escapes; quoted names. */
const OPAQUE =
  /--[^\n\r]*|\/\*(?:[^*/]|\*(?!\/)|\/(?!\*)|\/\*(?:[^*]|\*(?!\/))*\*\/)*\*\/|(?<![\w$])(\$[^\s$']*\$)[^]*?\1|"(?:[^"]|"")*"|'(?:[^'\\]|''|\\[^])*'/g;

/**
 * Translates a statement to PostgreSQL.
 * @throws RedshiftError if Redshift would reject it
 */
export function translate(sql: string): string {
  // Ignore names, values and comments when checking the dialect.
  const bare = sql.replace(OPAQUE, (found) => (found.startsWith("'") ? "''" : found.startsWith('"') ? '""' : ' '));
  for (const [pattern, answer] of REFUSED) {
    if (pattern.test(bare)) throw new RedshiftError(answer.startsWith('function') ? '42883' : '42601', answer);
  }
  // `text` is varchar(256) in Redshift.
  return /^\s*CREATE\b/i.test(bare) ? sql.replace(/\btext\b/gi, 'varchar(256)') : sql;
}
