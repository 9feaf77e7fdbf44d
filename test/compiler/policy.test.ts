import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { CATALOG } from '../../activities/catalog.ts';
import type { Policy } from '../../compiler/check/check-policy.ts';
import { Compiler } from '../../compiler/compile.ts';

const POLICY: Policy = {
  pipelines: { owners: ['platform', 'sales'] },
  'pipelines/sales/': {
    owners: ['sales'],
    queues: ['reports'],
    connections: ['sales_*', 'pagerduty_default', 'aws_default'],
    dagIdPrefixes: ['sales_', 'shop_'],
  },
};

const ALLOWED = `dag_id: sales_orders
owner: sales
schedule_interval: "@daily"
alerts: {pagerduty: {}}
triggers: [{name: rows, type: sql, conn_id: sales_db, query: SELECT id FROM orders, cursor: id}]
tasks:
  - {name: load, type: http, conn_id: sales_db, path: "/{{ conn.sales_db.host }}", queue: reports, owner: sales}
`;

function mistakes(text: string, place = 'pipelines/sales/eu/a.yaml', policy = POLICY): string[] {
  const [compilation] = new Compiler(CATALOG).compileAll([{ file: 'a.yaml', text, place }], { policy });
  return (compilation?.diagnostics ?? [])
    .filter(({ severity }) => severity === 'error')
    .map(({ line, column, code, message, hint = '' }) => `${line}:${column} ${code} ${message} ${hint}`);
}

describe('the policy of a project', () => {
  it('lets a folder use what it allows, and other folders everything', () => {
    assert.deepEqual(mistakes(ALLOWED), []);
    const other = ALLOWED.replaceAll('sales_', 'x_').replace('queue: reports', 'queue: gpu');
    assert.deepEqual(mistakes(other, 'pipelines/stock/a.yaml'), []);
    assert.deepEqual(mistakes(other, 'pipelines/sales_eu/a.yaml'), []);
    assert.deepEqual(mistakes(other, 'pipelines/sales/a.yaml', {}), []);
  });

  it('refuses owners, queues, connections and dag_ids, at their places, and lists what is allowed', () => {
    const wrong = ALLOWED.replace('sales_orders', 'orders')
      .replace('owner: sales\n', 'owner: slaes\ndefault_args: {queue: gpu}\n')
      .replace('http, conn_id: sales_db', 'http, conn_id: hr_db')
      .replace('{pagerduty: {}}', '{pagerduty: {conn_id: hr_pager}}')
      .replace('queue: reports, owner: sales', 'owner: hr');
    const see = 'see `policy` in sluice.config.ts';
    const connections = 'allowed: sales_*, pagerduty_default, aws_default.';
    assert.deepEqual(mistakes(wrong), [
      `1:9 SL318 'orders' is not a dag_id of pipelines/sales: it must start with sales_ or shop_. ${see}`,
      "2:8 SL318 Owner 'slaes' is not allowed in pipelines/sales; allowed: sales. did you mean 'sales'?",
      `3:23 SL318 Queue 'gpu' is not allowed in pipelines/sales; allowed: reports. ${see}`,
      `5:31 SL318 Connection 'hr_pager' is not allowed in pipelines/sales; ${connections} ${see}`,
      `8:39 SL318 Connection 'hr_db' is not allowed in pipelines/sales; ${connections} ${see}`,
      `8:88 SL318 Owner 'hr' is not allowed in pipelines/sales; allowed: sales. ${see}`,
    ]);
  });

  it('counts connections that are not written: defaults of task types, and fields in expressions', () => {
    const text =
      'dag_id: sales_a\ntasks:\n  - {name: a, type: sql, sql: SELECT 1}\n  - {name: b, type: http, conn_id: sales_api, path: "/{{ conn.hr_db.host }}"}\n';
    assert.deepEqual(
      mistakes(text).map((each) => each.split(' is not')[0]),
      ["3:21 SL318 Connection 'postgres_default'", "4:58 SL318 Connection 'hr_db', whose fields an expression reads,"],
    );
  });

  it('counts the connections of channels and triggers that use their default', () => {
    const text =
      'dag_id: sales_a\nalerts: {slack: {}, waiting: {webhook: {}}}\ntriggers: [{name: k, type: kafka, topic: t}]\ntasks:\n  - {name: a, type: notify, to: slack, message: x}\n';
    assert.deepEqual(
      mistakes(text).map((each) => each.split(' is not')[0]),
      [
        "2:10 SL318 Connection 'slack_default'",
        "2:31 SL318 Connection 'webhook_default'",
        "3:28 SL318 Connection 'kafka_default'",
        "5:33 SL318 Connection 'slack_default'",
      ],
    );
    assert.equal(
      mistakes('dag_id: x\ncritical: true\ntasks: [{name: a, type: empty}]\n', 'a.yaml', { '.': { connections: [] } }).length,
      1,
    );
  });

  it('takes the nearest folder that has the key', () => {
    assert.deepEqual(mistakes('dag_id: a\nowner: hr\ntasks: [{name: a, type: empty}]\n', 'pipelines/stock/a.yaml'), [
      "2:8 SL318 Owner 'hr' is not allowed in pipelines; allowed: platform, sales. see `policy` in sluice.config.ts",
    ]);
    assert.deepEqual(mistakes('dag_id: sales_a\nowner: platform\ntasks: [{name: a, type: empty}]\n').length, 1);
    assert.deepEqual(mistakes('dag_id: a\nowner: hr\ntasks: [{name: a, type: empty}]\n', 'a.yaml'), []);
  });
});
