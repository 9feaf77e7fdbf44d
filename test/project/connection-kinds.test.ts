import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { defineChannel, defineConnection, defineTask, Type } from '../../index.ts';
import { compilePipeline, runTask } from '../../testing.ts';

interface VaultConnection {
  readonly type: 'vault';
  readonly host: string;
  readonly token: string;
}

const vault = defineConnection<VaultConnection>({
  type: 'vault',
  description: 'A vault',
  schemes: ['vault'],
  example: 'vault://:token@host',
  fields: {
    host: { description: 'the server', inExpressions: 'string' },
    token: { description: 'the token', secret: 'all' },
  },
  fieldsOfUri: ({ text }) => ({ host: new URL(text.replace('vault:', 'http:')).hostname, token: 'a long token' }),
  read: (fields) => ({ type: 'vault', host: fields.host(), token: fields.required('token') }),
  check: () => Promise.resolve('well'),
});

const copy = defineTask({
  type: 'copy',
  description: 'Copies from a vault to a database.',
  summary: () => '',
  params: Type.Object({ other: Type.Optional(Type.String({ title: 'Other', description: 'Another vault.', examples: ['x'] })) }),
  result: Type.Object({ from: Type.String(), to: Type.Array(Type.String()), token: Type.String() }),
  connections: {
    source: { key: 'source_conn_id', default: 'vault_default', types: [vault], description: 'The vault.' },
    target: { key: 'target_conn_id', types: ['postgres', vault], description: 'The target.' },
  },
  example: { name: 'copy', type: 'copy' },
  // These lines compile only if each connection has the type of its need.
  run({ connections: { source, target }, connection }, { other }) {
    const host: string = source.host;
    // @ts-expect-error a vault has no database
    assert.equal(source.database, undefined);
    const targets = target === undefined ? [] : target.type === 'postgres' ? [target.database] : [target.host];
    return Promise.resolve({ from: other === undefined ? host : connection(other, [vault]).host, to: targets, token: source.token });
  },
});

const environment = {
  SLUICE_CONN_VAULT_DEFAULT: 'vault://:x@one',
  SLUICE_CONN_VAULT_TWO: 'vault://:x@two',
  SLUICE_CONN_PG: 'postgres://user:password@host/sales',
};

describe('a task type that names a connection type by its definition', () => {
  it('gets the connection, with its type', async () => {
    assert.deepEqual(await runTask(copy, { params: {}, environment }), { from: 'one', to: [], token: '***' });
    const params = { other: 'vault_two', target_conn_id: 'pg' };
    assert.deepEqual(await runTask(copy, { params, environment }), { from: 'two', to: ['sales'], token: '***' });
  });

  it('gets no connection of another type', async () => {
    await assert.rejects(runTask(copy, { params: { source_conn_id: 'pg' }, environment }), {
      type: 'ConnectionNotDefined',
      message: /^Connection 'pg' is of type postgres; this task needs vault\./,
    });
  });

  it('is checked by the compiler', () => {
    const task = (keys: string): string => `dag_id: x\ntasks: [{name: a, type: copy, ${keys}}]\n`;
    assert.deepEqual(compilePipeline(task('other: "{{ conn.vault_default.host }}"'), [copy]).diagnostics, []);
    const { diagnostics } = compilePipeline(task('source_conn_id: postgres_default'), [copy]);
    assert.deepEqual(
      diagnostics.map(({ code, message }) => [code, message]),
      [['SL408', "Connection 'postgres_default' is of type postgres; 'source_conn_id' needs vault."]],
    );
  });

  it('can be the type of a channel', async () => {
    const seen: string[] = [];
    const channel = defineChannel({
      name: 'safe',
      title: 'Safe',
      description: 'Write to a vault.',
      connection: { type: vault, description: 'The vault.' },
      sendNotice: ({ host }) => Promise.resolve(void seen.push(host)),
      sendMessage: ({ host }) => Promise.resolve(void seen.push(host)),
    });
    const connection = { type: 'vault', host: 'one', token: 'x' } as const;
    await channel.sendMessage(connection, { text: '', severity: 'info', key: '', from: FROM }, new AbortController().signal);
    assert.deepEqual(seen, ['one']);
  });
});

const FROM = { dag_id: 'x', task: 'a', run_id: 'x', data_interval_start: '', data_interval_end: '' };
