import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { ConnectionError, parseConnection } from '../../connections/parse.ts';
import { connectionsFrom } from '../../connections/connections.ts';

describe('connections', () => {
  it('reads URIs as Airflow writes them', () => {
    assert.deepEqual(parseConnection('x', 'postgresql://me:p%40ss%2Fw@db.example:6543/sales?sslmode=require'), {
      type: 'postgres',
      host: 'db.example',
      port: 6543,
      user: 'me',
      password: 'p@ss/w',
      database: 'sales',
      sslmode: 'require',
    });
    assert.deepEqual(parseConnection('x', 'mariadb://me:secret@db.example/shop'), {
      type: 'mysql',
      host: 'db.example',
      port: 3306,
      user: 'me',
      password: 'secret',
      database: 'shop',
      sslmode: 'verify-full',
    });
    assert.deepEqual(parseConnection('x', 'aws://KEY:SE%2FCRET@/?endpoint_url=http%3A%2F%2F127.0.0.1%3A7070&region_name=eu-west-1'), {
      type: 'aws',
      access_key_id: 'KEY',
      secret_access_key: 'SE/CRET',
      region_name: 'eu-west-1',
      endpoint_url: 'http://127.0.0.1:7070',
    });
    assert.deepEqual(parseConnection('x', 'aws://'), { type: 'aws', region_name: 'us-east-1' });
    assert.deepEqual(parseConnection('x', 'kafka://a:1,b:2'), { type: 'kafka', brokers: ['a:1', 'b:2'], security_protocol: 'SSL' });
    assert.deepEqual(parseConnection('x', 'kafka://ann:p%40ss@a:1,b:2/?sasl_mechanism=SCRAM-SHA-512&ca=/etc/ca.pem'), {
      type: 'kafka',
      brokers: ['a:1', 'b:2'],
      security_protocol: 'SASL_SSL',
      sasl_mechanism: 'SCRAM-SHA-512',
      username: 'ann',
      password: 'p@ss',
      ca: '/etc/ca.pem',
    });
  });

  it('reads where MLflow is: encrypted unless it is this host, or the scheme says otherwise', () => {
    const url = (text: string) => parseConnection('x', text);
    assert.deepEqual(url('mlflow://ann:p%40ss@mlflow.example/base'), {
      type: 'mlflow',
      url: 'https://mlflow.example/base',
      username: 'ann',
      password: 'p@ss',
    });
    assert.deepEqual(url('mlflow://127.0.0.1:5000'), { type: 'mlflow', url: 'http://127.0.0.1:5000/' });
    assert.deepEqual(url('mlflow+http://mlflow:5000'), { type: 'mlflow', url: 'http://mlflow:5000/' });
    assert.deepEqual(url('mlflow+https://localhost/?token=a-token'), { type: 'mlflow', url: 'https://localhost/', token: 'a-token' });
    const ca_file = '/etc/ssl/ca.pem';
    assert.deepEqual(url(`mlflow+https://h/?ca_file=${ca_file}`), { type: 'mlflow', url: 'https://h/', ca_file });
    assert.deepEqual(url(`{"type": "http", "url": "https://h/a", "ca_file": "${ca_file}"}`), { type: 'http', url: 'https://h/a', ca_file });
    assert.deepEqual(url('{"type":"mlflow","url":"https://m/"}'), { type: 'mlflow', url: 'https://m/' });
  });

  it('reads where Kafka Connect is, as for MLflow', () => {
    const read = (text: string) => parseConnection('x', text);
    assert.deepEqual(read('kafka-connect+https://ann:p%40ss@connect.example:8083/base'), {
      type: 'kafka_connect',
      url: 'https://connect.example:8083/base',
      username: 'ann',
      password: 'p@ss',
    });
    assert.deepEqual(read('kafka-connect://127.0.0.1:8083'), { type: 'kafka_connect', url: 'http://127.0.0.1:8083/' });
    assert.deepEqual(read('kafka-connect+http://connect:8083'), { type: 'kafka_connect', url: 'http://connect:8083/' });
    assert.deepEqual(read('{"type":"kafka_connect","url":"https://c/"}'), { type: 'kafka_connect', url: 'https://c/' });
  });

  it('reads JSON', () => {
    assert.deepEqual(parseConnection('x', '{"type":"spark","master":"local[2]"}'), {
      type: 'spark',
      master: 'local[2]',
      deploy_mode: 'client',
    });
  });

  it('asks other hosts than this one for a verified certificate', () => {
    const sslmode = (uri: string) => (parseConnection('x', uri) as { sslmode: string }).sslmode;
    assert.deepEqual(['postgres://u:p@db.example/d', 'postgres://u:p@127.0.0.1/d'].map(sslmode), ['verify-full', 'disable']);
  });

  for (const [text, message] of [
    ['nonsense secret', /neither a URI nor JSON/],
    ['oracle://u:secret@h/d', /scheme is 'oracle'; allowed: postgres/],
    ['postgres://u:secret@/d', /'host' is missing|not valid/],
    ['postgres://u:secret@h:99999/d', /not valid/],
    ['postgres://u:secret@h/d?sslmode=maybe', /'sslmode' is 'maybe'; allowed: disable/],
    ['{"type":"postgres", secret', /not valid JSON/],
    ['aws://secret@/', /must be set together/],
    ['mlflow://u:secret@', /not valid/],
    ['mlflow+ftp://u:secret@h', /scheme is 'mlflow\+ftp'; allowed: /],
  ] as const) {
    it(`refuses ${text.replace('secret', '…')} without telling the secret`, () => {
      assert.throws(
        () => parseConnection('x', text),
        (error) =>
          error instanceof ConnectionError &&
          message.test(error.message) &&
          !error.message.includes('secret@') &&
          !error.message.includes('nonsense'),
      );
    });
  }

  it('names the variable that defines a connection, and those that exist', () => {
    const connections = connectionsFrom({ SLUICE_CONN_OTHER: 'kafka://h:1' });
    assert.throws(
      () => connections.get('sales_db', ['postgres']),
      /Connection 'sales_db' is not defined. Set SLUICE_CONN_SALES_DB .*defined here: other/,
    );
    assert.throws(() => connections.get('other', ['postgres']), /of type kafka; this task needs postgres/);
  });
});
