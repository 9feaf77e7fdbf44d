import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { CONNECTIONS } from '../../connections/catalog.ts';
import { defineConnection } from '../../connections/define-connection.ts';
import { readableFields, readableValues } from '../../connections/in-expressions.ts';
import { parseConnection } from '../../connections/parse.ts';
import { secretsIn } from '../../connections/secrets.ts';
import { connectionsPage } from '../../dev/docs/connections-page.ts';

interface SnowflakeConnection {
  readonly type: 'snowflake';
  readonly host: string;
  readonly user: string;
  readonly password: string;
  readonly database: string;
  readonly warehouse: string;
}

/** What somebody writes who adds a type. */
const snowflake = defineConnection<SnowflakeConnection>({
  type: 'snowflake',
  description: 'Snowflake',
  schemes: ['snowflake'],
  example: 'snowflake://user:password@account/database?warehouse=load',
  fields: {
    host: { description: 'the account', inExpressions: 'string' },
    user: { description: 'who logs in' },
    password: { description: 'their password', secret: 'all' },
    database: { description: 'the database', inExpressions: 'string' },
    warehouse: { description: 'the warehouse; by default `main`', isOption: true, inExpressions: 'string' },
  },
  read: (fields) => ({
    type: 'snowflake',
    host: fields.host(),
    user: fields.required('user'),
    password: fields.required('password'),
    database: fields.required('database'),
    warehouse: fields.optional('warehouse') ?? 'main',
  }),
  check: async ({ host }) => `Snowflake at ${host}`,
});

const CATALOG = [...CONNECTIONS, snowflake];
const URI = 'snowflake://ann:p%40ssword@acme/sales?warehouse=load';

describe('a type of connections that is defined in one place', () => {
  const connection = { type: 'snowflake', host: 'acme', user: 'ann', password: 'p@ssword', database: 'sales', warehouse: 'load' };

  it('is read from a URI and from JSON', () => {
    assert.deepEqual(parseConnection('x', URI, CATALOG), connection);
    assert.deepEqual(parseConnection('x', JSON.stringify(connection), CATALOG), connection);
  });

  for (const [text, mistake] of [
    ['snowflake://ann:p@acme/sales?role=x', /an option that is unknown for type snowflake; allowed: warehouse\./],
    ['snowflake://ann:p@acme/sales?warehouse=a&warehouse=b', /'warehouse' is given more than once/],
    ['snowflake://ann:100%@acme/sales', /Connection 'x' \(SLUICE_CONN_X\) cannot be read: a % in it/],
    [
      '{"type":"snowflake","account":"acme"}',
      /a field that is unknown for type snowflake; allowed: host, user, password, database, warehouse/,
    ],
    ['oracle://h/d', /its scheme is 'oracle'; allowed: .*, snowflake, or JSON/],
    ['{"type":"oracle"}', /its type is 'oracle'; allowed: .*, snowflake\./],
  ] as const) {
    it(`is read strictly: ${text}`, () => {
      assert.throws(() => parseConnection('x', text, CATALOG), mistake);
    });
  }

  it('has its secrets hidden, and its other fields in expressions', () => {
    assert.deepEqual(secretsIn('x', URI, CATALOG), [{ value: 'p@ssword', user: 'ann' }]);
    assert.deepEqual(readableValues(connection, CATALOG), { host: 'acme', database: 'sales', warehouse: 'load' });
    assert.equal(readableFields(CATALOG).warehouse, 'string');
  });

  it('is in the documentation, with what is secret', () => {
    assert.match(
      connectionsPage(CATALOG),
      /## snowflake\n\nSnowflake\. URIs begin with `snowflake:\/\/`\.[^]*\| `password` \| their password \| secret \|/,
    );
  });
});

describe('the types of connections', () => {
  for (const { type, example, schemes, fields } of CONNECTIONS) {
    it(`reads the example of ${type}`, () => {
      assert.equal(parseConnection('x', example.replace(/^'(.*)'$/, '$1')).type, type);
    });

    it(`lets expressions read no secret of ${type}`, () => {
      const readable = Object.entries(fields).filter(
        ([, field]) => 'inExpressions' in field && 'secret' in field && field.secret === 'all',
      );
      assert.deepEqual(readable, []);
    });

    it(`gives ${type} separate schemes`, () => {
      const others = CONNECTIONS.filter((other) => other.type !== type).flatMap((other) => other.schemes);
      assert.deepEqual(
        schemes.filter((scheme) => others.includes(scheme)),
        [],
      );
    });
  }

  it('give a field one type in expressions, for any type of connection', () => {
    const all = CONNECTIONS.flatMap((definition) => Object.entries(readableFields([definition])));
    for (const [name, shape] of all) assert.deepEqual(readableFields()[name], shape, name);
  });

  it('show expressions of an address neither a path nor a user', () => {
    const url = 'https://ann:secret@s3.example:9000/key-that-lets-in-1234';
    assert.deepEqual(readableValues(parseConnection('x', url)), { url: 'https://s3.example:9000' });
    const s3 = parseConnection('x', 'aws://KEY:SECRET@/?endpoint_url=https://s3.example:9000/key-that-lets-in-1234');
    assert.deepEqual(readableValues(s3), { region_name: 'us-east-1', endpoint_url: 'https://s3.example:9000' });
  });
});
