import { RedshiftError } from './dialect.ts';

/** A parsed `COPY … FROM 's3://…'` statement. */
export interface CopyStatement {
  readonly table: string;
  /** As written, with quotes. */
  readonly columns: string | undefined;
  readonly uri: string;
  readonly keys: { readonly id: string; readonly secret: string } | undefined;
  readonly role: string | undefined;
  readonly format: 'csv' | 'json';
  readonly gzip: boolean;
  readonly manifest: boolean;
  /** The text that means NULL; Redshift's default is `\N`. */
  readonly nullAs: string | undefined;
  readonly emptyAsNull: boolean;
}

const HEAD =
  /^\s*COPY\s+((?:"(?:[^"]|"")+"|[\w$]+)(?:\.(?:"(?:[^"]|"")+"|[\w$]+))?)\s*(?:\(((?:"(?:[^"]|"")+"|[^)"])*)\))?\s*FROM\s+'(s3:\/\/(?:[^'\\]|''|\\.)+)'/i;
const FLAGS = new Set([
  'EMPTYASNULL',
  'BLANKSASNULL',
  'TRIMBLANKS',
  'TRUNCATECOLUMNS',
  'ROUNDEC',
  'EXPLICIT_IDS',
  'GZIP',
  'MANIFEST',
  'CSV',
]);
const TEXTS = new Set([
  'IAM_ROLE',
  'ACCESS_KEY_ID',
  'SECRET_ACCESS_KEY',
  'SESSION_TOKEN',
  'REGION',
  'DATEFORMAT',
  'TIMEFORMAT',
  'NULL',
  'JSON',
]);

/** The content of a quoted text in Redshift, where backslashes escape. */
function unescaped(text: string): string {
  return text.replace(/\\(.)|''/gs, (escape, character: string | undefined) => character ?? "'");
}

export function isCopyFromS3(sql: string): boolean {
  return HEAD.test(sql);
}

/** @throws RedshiftError, with Redshift's message, for unsupported syntax */
export function parseCopy(sql: string): CopyStatement {
  const head = HEAD.exec(sql);
  if (!head) throw new RedshiftError('42601', 'syntax error in COPY');
  const tokens =
    sql
      .slice(head[0].length)
      .replace(/;\s*$/, '')
      .match(/'(?:[^'\\]|''|\\.)*'|\w+|\S/g) ?? [];
  const flags = new Set<string>();
  const texts = new Map<string, string>();
  const syntaxError = (token: string | undefined): RedshiftError =>
    new RedshiftError(
      '42601',
      token === undefined ? 'syntax error at end of input' : `syntax error at or near "${token.replace(/^'|'$/g, '')}"`,
    );
  for (let at = 0; at < tokens.length; at++) {
    const option = tokens[at]?.toUpperCase() ?? '';
    if (option === 'FORMAT' || option === 'AS') continue;
    if (FLAGS.has(option)) flags.add(option);
    else if (option === 'ACCEPTINVCHARS') flags.add(option);
    else if (option === 'COMPUPDATE' || option === 'STATUPDATE') {
      if (/^(ON|OFF)$/i.test(tokens[at + 1] ?? '')) at += 1;
    } else if (TEXTS.has(option)) {
      if (tokens[at + 1]?.toUpperCase() === 'AS') at += 1;
      const value = tokens[++at];
      if (!value?.startsWith("'")) throw syntaxError(value);
      texts.set(option, unescaped(value.slice(1, -1)));
    } else throw syntaxError(tokens[at]);
  }
  const id = texts.get('ACCESS_KEY_ID');
  const secret = texts.get('SECRET_ACCESS_KEY');
  const role = texts.get('IAM_ROLE');
  if (role === undefined && (id === undefined || secret === undefined)) {
    throw new RedshiftError('42601', 'No authorization: COPY needs IAM_ROLE, or ACCESS_KEY_ID and SECRET_ACCESS_KEY');
  }
  if (texts.has('JSON') && flags.has('CSV')) throw new RedshiftError('42601', 'conflicting or redundant options: CSV, JSON');
  if (!texts.has('JSON') && !flags.has('CSV')) throw new RedshiftError('0A000', 'the stand-in reads CSV and JSON only');
  if (texts.has('JSON') && texts.get('JSON') !== 'auto') throw new RedshiftError('0A000', "the stand-in knows JSON 'auto' only");
  return {
    table: head[1] ?? '',
    columns: head[2],
    uri: unescaped(head[3] ?? ''),
    keys: id === undefined || secret === undefined ? undefined : { id, secret },
    role,
    format: texts.has('JSON') ? 'json' : 'csv',
    gzip: flags.has('GZIP'),
    manifest: flags.has('MANIFEST'),
    nullAs: texts.get('NULL'),
    emptyAsNull: flags.has('EMPTYASNULL'),
  };
}
