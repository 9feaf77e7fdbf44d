import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { Plan } from '../../workflows/plan/plan.ts';
import { compiler } from '../support/compiler.ts';

function compiled(text: string): Plan {
  const { plan, diagnostics } = compiler.compile({ file: 'x.yaml', text: `dag_id: x\nschedule_interval: "@daily"\n${text}` });
  assert.ok(plan, JSON.stringify(diagnostics));
  return plan;
}

describe('SLAs in a plan', () => {
  it('are explicit, those of tasks beside those of the run', () => {
    const plan = compiled(`
sla:
  - {name: in_time, within: 2h, warn_at: 80%, severity: critical, suppress_when: [backfill], runbook: "https://wiki/x"}
  - {name: by_six, by: "06:00", warn_at: 5h}
  - {name: fresh, within: 1d, reference: previous_success}
  - {name: agree, assert: outputs.a.n <= 1}
tasks:
  - {name: a, type: empty, sla: {max_duration: 1h}}
  - {name: b, type: empty, sla: [{name: quick, within: 5m}]}
`);
    assert.deepEqual(plan.slas, [
      {
        name: 'in_time',
        promise: { kind: 'within', ms: 7_200_000, reference: 'started_at' },
        severity: 'critical',
        warnAt: { part: 0.8 },
        suppressWhen: ['backfill'],
        runbook: 'https://wiki/x',
      },
      { name: 'by_six', promise: { kind: 'by', time: '06:00' }, warnAt: { afterMs: 18_000_000 }, suppressWhen: [] },
      { name: 'fresh', promise: { kind: 'within', ms: 86_400_000, reference: 'previous_success' }, suppressWhen: [] },
      { name: 'agree', promise: { kind: 'assert', condition: 'outputs.a.n <= 1' }, suppressWhen: [] },
      { name: 'max_duration', task: 'a', promise: { kind: 'within', ms: 3_600_000, reference: 'started_at' }, suppressWhen: [] },
      { name: 'quick', task: 'b', promise: { kind: 'within', ms: 300_000, reference: 'started_at' }, suppressWhen: [] },
    ]);
  });

  it('count by their own calendar, or by that of the schedule, in the zone of the pipeline', () => {
    const { slas, notYet } = compiled(`
sla:
  - {name: in_time, within: 2d, calendar: {business_days: true, exclude: ["2024-12-26", "2024-12-25"]}}
tasks: [{name: a, type: empty}]
`);
    assert.equal(notYet, undefined);
    assert.deepEqual(slas?.[0]?.calendar, { businessDays: true, exclude: ['2024-12-25', '2024-12-26'] });

    const text = `dag_id: x
schedule: {cron: "0 22 * * *", timezone: Europe/Berlin, calendar: {business_days: true}}
sla: [{name: by_six, by: "06:00", calendar: schedule}]
tasks: [{name: a, type: empty}]
`;
    const { plan } = compiler.compile({ file: 'x.yaml', text });
    assert.deepEqual(plan?.slas?.[0]?.calendar, { businessDays: true });

    const byHand = 'dag_id: x\ntimezone: Europe/Berlin\nsla: {max_duration: 2h}\ntasks: [{name: a, type: empty}]\n';
    assert.equal(compiler.compile({ file: 'x.yaml', text: byHand }).plan?.timezone, 'Europe/Berlin');
  });

  it('are about the freshness of datasets', () => {
    const { slas, notYet } = compiled(`
outlets: ["s3://warehouse/sales"]
sla:
  - {name: fresh, dataset: "s3://warehouse/sales", within: 26h}
  - {name: there_at_six, dataset: "s3://warehouse/sales", by: "06:00"}
tasks: [{name: a, type: empty}]
`);
    assert.equal(notYet, undefined);
    const common = { dataset: 's3://warehouse/sales', suppressWhen: [] };
    assert.deepEqual(slas, [
      { name: 'fresh', ...common, promise: { kind: 'within', ms: 93_600_000, reference: 'previous_success' } },
      { name: 'there_at_six', ...common, promise: { kind: 'by', time: '06:00' } },
    ]);
  });

  it('name channels by connections, never by keys', () => {
    const { alerts, critical, notYet } = compiled(
      'critical: true\nalerts: {pagerduty: {runbook: "https://wiki/x"}, slack: {conn_id: ops}, webhook: {}}\ntasks: [{name: a, type: empty}]',
    );
    assert.equal(critical, true);
    assert.equal(notYet, undefined);
    assert.deepEqual(alerts, {
      pagerduty: { connection: 'pagerduty_default', runbook: 'https://wiki/x' },
      slack: { connection: 'ops' },
      webhook: { connection: 'webhook_default' },
    });
  });

  it('name whom to notify of runs that wait for people; that alone asks for no other pages', () => {
    const withAlerts = (alerts: string) => compiled(`alerts: ${alerts}\ntasks: [{name: a, type: empty}]`);
    const both = withAlerts('{pagerduty: {}, waiting: {slack: {conn_id: analysts}, pagerduty: {severity: warning}}}');
    assert.deepEqual(both.alerts, { pagerduty: { connection: 'pagerduty_default' } });
    assert.deepEqual(both.waitingAlerts, {
      pagerduty: { connection: 'pagerduty_default', severity: 'warning' },
      slack: { connection: 'analysts' },
    });
    const alone = withAlerts('{waiting: {slack: {}}}');
    assert.deepEqual([alone.alerts, alone.waitingAlerts], [undefined, { slack: { connection: 'slack_default' } }]);
    assert.deepEqual([withAlerts('{}').alerts, withAlerts('{}').waitingAlerts], [{}, undefined]);
  });
});
