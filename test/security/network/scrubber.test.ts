import assert from 'node:assert/strict';
import { ApplicationFailure } from '@temporalio/common';
import { describe, it } from 'mocha';
import { Scrubber } from '../../../lib/scrubbing/scrub.ts';
import { scrubberOf } from '../../../connections/scrubber.ts';

/** Secrets with all that encodings change. */
const SECRETS = [
  'canary-pg-7731',
  'cänary/with+p@ss "w0rd"&<=>',
  'canary%2Fhalf%20encoded',
  String.raw`canary\back\slash`,
  "canary'quote's!",
  '日本語のパスワード8',
];

/** The secret's part of the base64 of a text that holds it. */
function inBase64(before: string, secret: string, behind = ''): string {
  const [start, length] = [Buffer.byteLength(before), Buffer.byteLength(secret)];
  const text = Buffer.from(before + secret + behind).toString('base64');
  return text.slice(Math.ceil((start * 8) / 6), Math.floor(((start + length) * 8) / 6));
}

function encodingsOf(secret: string): Readonly<Record<string, string>> {
  const url = new URL('http://host/');
  url.password = secret;
  const json = JSON.stringify(secret).slice(1, -1);
  return {
    'as it is': secret,
    'URL-encoded': encodeURIComponent(secret),
    'URL-encoded with lowercase letters': encodeURIComponent(secret).replace(/%../g, (code) => code.toLowerCase()),
    'URL-encoded twice': encodeURIComponent(encodeURIComponent(secret)),
    'in the address of a URL': url.password,
    'in a form': new URLSearchParams([['', secret]]).toString().slice(1),
    'in JSON': json,
    'in JSON in JSON': JSON.stringify(json).slice(1, -1),
    'in HTML': secret
      .replaceAll('&', '&amp;')
      .replaceAll('<', '&lt;')
      .replaceAll('>', '&gt;')
      .replaceAll('"', '&quot;')
      .replaceAll("'", '&#39;'),
    'as Basic with a user': inBase64('ann:', secret),
    'as Basic with another user': inBase64('robert:', secret),
    'as Basic without a user': inBase64(':', secret),
    'as Basic without a password': inBase64('', secret, ':'),
    'as PLAIN of SASL': inBase64('\0ann\0', secret),
    'in base64': inBase64('', secret),
    'in hexadecimal digits': Buffer.from(secret).toString('hex'),
    'in capital hexadecimal digits': Buffer.from(secret).toString('hex').toUpperCase(),
    'in base64 of URLs': inBase64('', secret).replaceAll('+', '-').replaceAll('/', '_'),
    'in base64 in a URL': encodeURIComponent(inBase64('', secret)),
    'in base64 of a text around it': inBase64('{"user":"x","password":"', secret, '","z":1}'),
  };
}

/** The pieces of 8 characters of a text. */
function piecesOf(text: string): string[] {
  return Array.from({ length: Math.max(1, text.length - 7) }, (_, index) => text.slice(index, index + 8));
}

describe('the scrubber', () => {
  for (const secret of SECRETS) {
    const scrubber = new Scrubber([{ value: 'another-secret-1' }, { value: secret, user: 'ann' }]);
    for (const [name, text] of Object.entries(encodingsOf(secret))) {
      it(`leaves nothing of ${secret} ${name}, whole or cut`, () => {
        const lengths = Array.from({ length: text.length - 7 }, (_, index) => index + 8);
        for (const cut of lengths.flatMap((length) => [text.slice(0, length), text.slice(-length)])) {
          const clean = scrubber.hide(`the server says ${cut}, and no more`);
          assert.match(clean, /^the server say.*\*\*\*/);
          for (const piece of piecesOf(cut)) assert.ok(!clean.includes(piece), `${clean} holds ${piece}`);
        }
      });
    }
  }

  it('hides each of several secrets that begin or end alike, with and without a user', () => {
    const secrets = ['shop-2026-red-lamp-tree', 'shop-2026-blue-door-tree', 'shop-2026-green-mill-tree'];
    const scrubber = new Scrubber(secrets.map((value, index) => ({ value, ...(index === 1 && { user: 'ann' }) })));
    for (const secret of secrets) {
      for (const [name, text] of Object.entries(encodingsOf(secret))) {
        const clean = scrubber.hide(`it says ${text} and ${text}.`);
        for (const piece of piecesOf(text)) assert.ok(!clean.includes(piece), `${secret} ${name}: ${clean}`);
      }
    }
  });

  it('leaves alone what is not secret', () => {
    const scrubber = new Scrubber([{ value: 'password-of-ann' }, { value: 'postgres1234' }, { value: 'abcd' }]);
    const text = 'password authentication failed in postgresql for abcde';
    assert.equal(scrubber.hide(text), text);
    assert.equal(scrubber.hide('it is abcd.'), 'it is ***.');
    const value = { rows: 3, list: ['a', null, { deep: true }] };
    assert.equal(scrubber.hideIn(value), value);
  });

  it('looks into keys, lists and causes', () => {
    const [secret] = SECRETS;
    const scrubber = new Scrubber([{ value: secret ?? '' }]);
    const value = { [`key ${secret}`]: [{ deep: [`in ${secret}`] }], whole: 7 };
    assert.deepEqual(scrubber.hideIn(value), { 'key ***': [{ deep: ['in ***'] }], whole: 7 });
    const frozen = Object.freeze(new Error(`frozen ${secret}`));
    const cause = new Error(`driver: ${secret}`, { cause: frozen });
    const error = ApplicationFailure.create({ type: 'Refused', message: `it said ${secret}`, details: [{ answer: secret }], cause });
    const clean = scrubber.hideInError(error) as ApplicationFailure;
    assert.ok(clean instanceof ApplicationFailure);
    assert.deepEqual([clean.type, clean.message, clean.details], ['Refused', 'it said ***', [{ answer: '***' }]]);
    const texts = [clean, clean.cause, clean.cause?.cause].map((each) => `${(each as Error).message} ${(each as Error).stack}`);
    assert.doesNotMatch(texts.join(' '), /canary/);
  });

  it('knows the secrets of every connection, also of one that cannot be read, and of the access to Temporal', () => {
    const environment = {
      SLUICE_CONN_PG: 'postgresql://ann:canary-01-pg%2F@db/x',
      SLUICE_CONN_DWH: 'redshift://ann:canary-02-dwh@dwh/x',
      SLUICE_CONN_SHOP: 'mysql://ann:canary-03-shop@db/x',
      SLUICE_CONN_AWS: 'aws://AKIAIOSFODNN7EXAMPLE:canary-04-aws@/',
      SLUICE_CONN_KAFKA: 'kafka://ann:canary-05-kafka@h:9092/?schema_registry=https://ann:canary-06-registry@reg',
      SLUICE_CONN_HTTP: 'https://ann:canary-07-http@h/base',
      SLUICE_CONN_TOKEN: 'https://h/base?token=canary-08-token',
      SLUICE_CONN_JSON: '{"type":"http","url":"https://ann:canary-09-json@h/base?sig=canary-10-sig"}',
      SLUICE_CONN_MLFLOW: 'mlflow+https://h/?token=canary-11-mlflow',
      SLUICE_CONN_PAGERDUTY: 'pagerduty://canary-12-pagerduty@events.pagerduty.com',
      SLUICE_CONN_RABBIT: 'amqps://ann:canary-13-rabbit@h/v',
      SLUICE_CONN_SLACK: 'https://hooks.slack.com/services/T00000000/B00000000/canary-14-slack',
      SLUICE_CONN_HOOK: 'https://hooks.example/in/canary-15-webhook-key',
      SLUICE_CONN_MISTYPED: 'oracle://ann:canary-16-mistyped@db/x',
      SLUICE_CONN_BROKEN: '{"type":"postgres","password":"canary-17-broken",',
      SLUICE_DEAD_MANS_SWITCH: 'https://nosnch.in/canary-18-switch',
      TEMPORAL_API_KEY: 'canary-19-temporal',
      SLUICE_PAYLOAD_KEYS: `one:${Buffer.from('canary-20-payload-key-of-32-byte').toString('base64')}`,
    };
    const scrubber = scrubberOf(environment);
    const seen = Object.values(environment).join('\n').replaceAll('%2F', '/');
    const clean = scrubber.hide(seen);
    assert.doesNotMatch(clean, /canary/);
    assert.doesNotMatch(clean, /Y2FuYXJ5/);
    assert.equal(clean.match(/\*\*\*/g)?.length, 20 + 2, clean);
    assert.match(clean, /https:\/\/hooks\.example\/in\/\*\*\*/);
  });
});
