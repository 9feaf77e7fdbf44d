import { once } from 'node:events';
import type { Socket } from 'node:net';
import type { AwsConnection } from '../../../lib/s3.ts';
import { type CopyStatement, isCopyFromS3, parseCopy } from './copy-statement.ts';
import { RedshiftError, translate } from './dialect.ts';
import { readSource } from './s3-source.ts';
import { errorFields, errorResponse, message, MessageReader, query, type WireMessage } from './wire-messages.ts';

/** A fault that a stand-in causes once, on request. */
export type Misbehaviour =
  /** The connection breaks after the first file of a COPY is read. */
  | 'break-in-copy'
  /** COMMIT fails with a serialization failure. */
  | 'refuse-commit'
  /** COMMIT succeeds, but the connection breaks before its response. */
  | 'lose-commit'
  /** COPY reports success, but has read no row. */
  | 'skip-rows';

export interface SessionOptions {
  readonly client: Socket;
  readonly upstream: Socket;
  readonly aws: AwsConnection;
  /** Consumes the requested fault, if it is this one. */
  takes(misbehaviour: Misbehaviour): boolean;
  /** Called with each statement as the client sent it. */
  seen(sql: string): void;
}

interface LoadError {
  readonly file: string;
  readonly line: string;
  readonly column: string;
  readonly reason: string;
  readonly value: string;
}

const SSL_REQUEST = 80877103;
const PROTOCOL_3 = 196608;

/** A text literal in which backslashes escape. */
const literal = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;

/** One client session of the stand-in: forwards what PostgreSQL does like Redshift, and runs COPY from S3 here. */
export class RedshiftSession {
  readonly #options: SessionOptions;
  /** PostgreSQL's last reported status: I idle, T in a transaction, E in a failed one. */
  #status = 'I';
  #collect: ((answer: WireMessage) => void) | undefined;
  /** An error of a Parse message is reported at the Sync that ends its batch. */
  #refused: RedshiftError | undefined;
  #committing = false;
  #loadError: LoadError | undefined;

  constructor(options: SessionOptions) {
    this.#options = options;
  }

  async run(): Promise<void> {
    const { client, upstream } = this.#options;
    const answers = this.#passAnswers().finally(() => client.destroy());
    const reader = new MessageReader(false);
    try {
      for await (const chunk of client as AsyncIterable<Buffer>) {
        for (const request of reader.read(chunk)) {
          if (request.type === '' && request.payload.readInt32BE(0) === SSL_REQUEST) {
            client.write('N');
            reader.expectStartup();
          } else await this.#handle(request);
        }
      }
    } catch {
      // The client has disconnected.
    }
    upstream.end();
    await answers.catch(() => {});
  }

  async #passAnswers(): Promise<void> {
    const { client, upstream } = this.#options;
    const reader = new MessageReader(true);
    for await (const chunk of upstream as AsyncIterable<Buffer>) {
      for (const answer of reader.read(chunk)) {
        if (answer.type === 'Z') this.#status = answer.payload.toString('latin1');
        if (this.#collect) this.#collect(answer);
        else if (this.#committing && answer.type === 'Z') client.destroy();
        else if (!this.#committing && !client.destroyed) client.write(answer.raw);
      }
    }
  }

  async #handle(request: WireMessage): Promise<void> {
    const { upstream, client } = this.#options;
    if (this.#refused !== undefined) {
      if (request.type !== 'S') return;
      const refused = this.#refused;
      this.#refused = undefined;
      await this.#answerError(refused);
      return;
    }
    try {
      if (request.type === 'Q') await this.#query(request.payload.subarray(0, -1).toString('utf8'));
      else if (request.type === 'P') upstream.write(this.#parse(request.payload));
      else upstream.write(request.type === '' ? this.#startup(request) : request.raw);
    } catch (error) {
      if (!(error instanceof RedshiftError)) throw error;
      if (request.type === 'P') this.#refused = error;
      else await this.#answerError(error);
    }
    if (upstream.destroyed) client.destroy();
  }

  async #query(sql: string): Promise<void> {
    const { upstream, client, takes, seen } = this.#options;
    seen(sql);
    if (isCopyFromS3(sql)) {
      const copied = await this.#copy(parseCopy(sql));
      if (copied) client.write(Buffer.concat([message('C', 'COPY\0'), message('Z', this.#status)]));
      return;
    }
    if (/^\s*COMMIT\b/i.test(sql)) {
      if (takes('refuse-commit')) {
        await this.#ask('ROLLBACK');
        throw new RedshiftError(
          'XX000',
          '1023 DETAIL: Serializable isolation violation on table - 100, transactions forming the cycle are: 1, 2',
        );
      }
      if (takes('lose-commit')) this.#committing = true;
    }
    upstream.write(query(this.#withLoadErrors(translate(sql))));
  }

  /** Makes backslashes escape in every text, as in Redshift. */
  #startup({ payload, raw }: WireMessage): Buffer {
    if (payload.readInt32BE(0) !== PROTOCOL_3) return raw;
    const settings = Buffer.from('standard_conforming_strings\0off\0escape_string_warning\0off\0\0');
    const head = Buffer.alloc(4);
    head.writeInt32BE(4 + payload.length - 1 + settings.length);
    return Buffer.concat([head, payload.subarray(0, -1), settings]);
  }

  #parse(payload: Buffer): Buffer {
    const name = payload.indexOf(0);
    const end = payload.indexOf(0, name + 1);
    const sql = payload.subarray(name + 1, end).toString('utf8');
    this.#options.seen(sql);
    if (isCopyFromS3(sql)) throw new RedshiftError('0A000', 'the stand-in takes COPY as a simple query only');
    return message('P', payload.subarray(0, name + 1), this.#withLoadErrors(translate(sql)), payload.subarray(end));
  }

  /** Sends a separate statement, with data for a COPY, and hides its response from the client. */
  #ask(
    sql: string,
    data?: AsyncIterable<Buffer>,
  ): Promise<{ failed: boolean; fields: Readonly<Record<string, string>>; problem?: unknown }> {
    const { upstream } = this.#options;
    return new Promise((resolve, reject) => {
      let fields: Readonly<Record<string, string>> = {};
      let failed = false;
      let problem: unknown;
      const gone = (): void => reject(new Error('PostgreSQL has gone.'));
      upstream.once('close', gone);
      this.#collect = ({ type, payload }) => {
        if (type === 'E') [failed, fields] = [true, errorFields(payload)];
        if (type === 'G') {
          const feed = async (): Promise<void> => {
            for await (const chunk of data ?? []) {
              if (failed) return;
              if (!upstream.write(message('d', chunk))) await once(upstream, 'drain');
            }
            upstream.write(message('c'));
          };
          feed().catch((error: unknown) => {
            problem = error;
            upstream.write(message('f', 'the source has failed\0'));
          });
        }
        if (type !== 'Z') return;
        this.#collect = undefined;
        upstream.off('close', gone);
        resolve({ failed, fields, problem });
      };
      upstream.write(query(sql));
    });
  }

  /** A Redshift error aborts the transaction, so make PostgreSQL's transaction fail too. */
  async #answerError(error: RedshiftError): Promise<void> {
    if (this.#status === 'T') await this.#ask('SELECT 1/0');
    this.#options.client.write(Buffer.concat([errorResponse(error.code, error.message), message('Z', this.#status)]));
  }

  /** @returns whether the client is still connected */
  async #copy(copy: CopyStatement): Promise<boolean> {
    const { aws, client, takes } = this.#options;
    if (this.#status === 'E')
      throw new RedshiftError('25P02', 'current transaction is aborted, commands ignored until end of transaction block');
    const own = this.#status === 'I';
    if (own) await this.#ask('BEGIN');
    try {
      const skip = takes('skip-rows');
      for await (const { url, data } of readSource(copy, aws)) {
        if (!skip) await this.#copyFile(copy, url, data);
        if (takes('break-in-copy')) {
          client.destroy();
          return false;
        }
      }
      if (copy.emptyAsNull && copy.nullAs === undefined) await this.#nullsOf(copy);
    } catch (error) {
      if (own) await this.#ask('ROLLBACK');
      throw error;
    }
    if (own) await this.#ask('COMMIT');
    return true;
  }

  async #copyFile(copy: CopyStatement, url: string, data: AsyncIterable<Buffer>): Promise<void> {
    const columns = copy.columns === undefined ? '' : ` (${copy.columns})`;
    // By default Redshift reads an empty field as '' and `\N` as NULL.
    const nullString = copy.nullAs ?? (copy.emptyAsNull ? '' : '\\N');
    const isJson = copy.format === 'json';
    if (isJson) await this.#ask('CREATE TEMPORARY TABLE stand_in_lines (line jsonb)');
    const target = isJson ? 'stand_in_lines' : copy.table + columns;
    const options = isJson ? `QUOTE E'\\x01', DELIMITER E'\\x02'` : `NULL ${literal(nullString)}`;
    const { failed, fields, problem } = await this.#ask(`COPY ${target} FROM STDIN (FORMAT csv, ${options})`, data);
    if (problem !== undefined) throw problem;
    if (failed) throw this.#failLoad(copy, url, fields);
    if (!isJson) return;
    const list = (copy.columns ?? '').split(',').map((column) => `record.${column.trim()}`);
    const inserted = await this.#ask(
      `INSERT INTO ${copy.table}${columns} SELECT ${list.join(', ')} FROM stand_in_lines, jsonb_populate_record(NULL::${copy.table}, line) AS record`,
    );
    if (inserted.failed) throw this.#failLoad(copy, url, inserted.fields);
    await this.#ask('DROP TABLE stand_in_lines');
  }

  /** With EMPTYASNULL, `\N` is still NULL too. */
  async #nullsOf(copy: CopyStatement): Promise<void> {
    for (const column of copy.columns?.match(/"(?:[^"]|"")+"|\w+/g) ?? []) {
      await this.#ask(`UPDATE ${copy.table} SET ${column} = NULL WHERE ${column}::text = ${literal('\\N')}`);
    }
  }

  #failLoad({ table }: CopyStatement, url: string, { M: reason = '', W: where = '' }: Readonly<Record<string, string>>): RedshiftError {
    const [, line = '1', column = '', value = ''] = /line (\d+)(?:, column (\S+?))?(?:: "(.*)")?$/s.exec(where) ?? [];
    this.#loadError = { file: url, line, column, reason, value };
    return new RedshiftError('XX000', `Load into table '${table}' failed.  Check 'stl_load_errors' system table for details.`);
  }

  /** Replaces the system table with the errors of this session, with the columns that tasks read. */
  #withLoadErrors(sql: string): string {
    const { file, line, column, reason, value } = this.#loadError ?? { file: '', line: '0', column: '', reason: '', value: '' };
    const text = (it: string): string => `${literal(it)}::varchar`;
    const row =
      `(SELECT ${text(file)} AS filename, ${line}::bigint AS line_number, ${text(column)} AS colname, ${text(reason)} AS err_reason, ` +
      `${text(value)} AS raw_field_value, pg_backend_pid() AS session, localtimestamp AS starttime WHERE ${this.#loadError !== undefined}) AS stl_load_errors`;
    return sql.replace(/\bFROM\s+stl_load_errors\b/i, () => `FROM ${row}`);
  }
}
