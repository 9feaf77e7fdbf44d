import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { createActivities } from '../../../activities/run/create-activities.ts';
import { ConnectionError, parseConnection } from '../../../connections/parse.ts';
import { connectionsFrom } from '../../../connections/connections.ts';
import { isLoopback } from '../../../lib/loopback.ts';
import { taskDependencies } from '../../support/task-dependencies.ts';

const read = (text: string) => parseConnection('x', text) as unknown as Record<string, unknown>;

describe('connections are read strictly', () => {
  it('an address in the query is an address in the query', () => {
    assert.deepEqual(read('kafka://h:9092/?schema_registry=https://u:p@reg'), {
      type: 'kafka',
      brokers: ['h:9092'],
      security_protocol: read('kafka://h:9092').security_protocol,
      schema_registry: 'https://u:p@reg',
    });
  });

  it('only this machine is this machine', () => {
    for (const host of ['127.0.0.1', '127.1.2.3', 'localhost', 'LOCALHOST', '::1', '[::1]']) assert.ok(isLoopback(host), host);
    for (const host of ['127.evil.com', '127.0.0.1.evil.com', 'localhost.evil.com', 'evil.com', '128.0.0.1', '0.0.0.0', '127.0.0.256'])
      assert.ok(!isLoopback(host), host);
    assert.equal(read('postgres://u:p@127.evil.com/d').sslmode, 'verify-full');
    assert.equal(read('kafka://u:p@127.evil.com:9092').security_protocol, 'SASL_SSL');
    assert.equal(read('kafka://u:p@127.0.0.1:9092,127.evil.com:9092').security_protocol, 'SASL_SSL');
    assert.equal(read('kafka://u:p@127.0.0.1:9092').security_protocol, 'SASL_PLAINTEXT');
    assert.equal(read('mlflow://127.evil.com').url, 'https://127.evil.com/');
  });

  /** Each was another connection than somebody has meant: a part of the password as the host, or an option left aside. */
  const mistakes = [
    ...['postgres', 'redshift', 'mysql', 'amqp', 'https', 'mlflow+https', 'kafka'].flatMap((scheme) => [
      `${scheme}://u:12/hush@h/d`,
      `${scheme}://u:12?hush@h/d`,
      `${scheme}://u:12#hush@h/d`,
      `${scheme}://u:pw@h/d?unknown=hush`,
      `${scheme}://u:%zzhush@h/d`,
      `${scheme}://u:hush @h/d`,
    ]),
    'https://good\\@hush.example/',
    'https://ann@hush.example\\@good/',
    '{"type":"http","url":"https://hush.example\\\\@good/"}',
    '{"type":"http","url":"https://good\\t.hush.example/"}',
    'aws://KEY:hush@/?endpoint_url=https://s3%5C@evil',
    'kafka://u:hush@h:1/?schema_registry=https://good%5C@evil',
    '{"type":"postgres","host":"h","user":"u","database":"d","__proto__":"hush"}',
    '{"type":"postgres","host":"h","user":"u","database":"d","constructor":"hush"}',
    'aws://KEY:12/hush@/?region_name=eu-west-1',
    'aws://KEY:hush@host/',
    'aws://KEY:hush@/?endpoint_url=https://u:hush@s3',
    'pagerduty://hush:more@events.pagerduty.com',
    'pagerduty://hush@events.pagerduty.com/path',
    'kafka://u:hush:more@h:1',
    'kafka://h:99999/?ca=hush',
    'kafka://h,/?ca=hush',
    'postgres://u:hush@h/d?sslmode=disable&sslmode=require',
    '{"type":"kafka","brokers":"u:hush@h:9092"}',
    '{"type":"postgres","host":"h/hush","user":"u","database":"d"}',
    '{"type":"postgres","host":"h","user":"u","database":"d","pasword":"hush"}',
    '{"type":"postgres","host":"h","user":"u","database":"d","password":{"a":"hush"}}',
    '{"type":"aws","endpoint_url":"https://u:hush@h"}',
    '{"type":"spark","master":"spark://u:hush@h:7077"}',
    '{"type":"rabbitmq","host":"u:hush@h"}',
  ];
  for (const text of mistakes) {
    it(`refuses ${text.replaceAll('hush', '…')}, and shows nothing of it`, () => {
      assert.throws(
        () => read(text),
        (error) => error instanceof ConnectionError && !error.message.includes('hush'),
      );
    });
  }

  it('what is encoded is read', () => {
    assert.equal(read('postgres://u:12%2Fhu%23s%40h@h/d').password, '12/hu#s@h');
    assert.deepEqual(read('https://h/a%40b?token=t%26t').token, 't&t');
  });

  it('credentials in the address of JSON are no part of the address', () => {
    assert.deepEqual(read('{"type":"http","url":"https://ann:hu%2Fsh@h/base"}'), {
      type: 'http',
      url: 'https://h/base',
      username: 'ann',
      password: 'hu/sh',
    });
  });

  it('expressions read no path of an address: in a webhook that is the key', async () => {
    const environment = { SLUICE_CONN_SLACK_DEFAULT: 'https://hooks.slack.com/services/T0/B0/hush' };
    const activities = createActivities([], taskDependencies(environment));
    assert.deepEqual(await activities.connection_fields(['slack_default']), { slack_default: { url: 'https://hooks.slack.com' } });
    assert.deepEqual(connectionsFrom(environment).get('slack_default', ['http']).url, 'https://hooks.slack.com/services/T0/B0/hush');
  });
});
