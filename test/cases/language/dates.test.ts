import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, it } from 'mocha';
import { intervalOf } from '../../../cli/given-interval.ts';
import { runCase } from '../../../cli/test/run-case.ts';
import { FORMAT_LETTERS } from '../../../workflows/plan/expressions/date-format.ts';
import { DATE_FUNCTIONS } from '../../../workflows/plan/expressions/date-functions.ts';
import { expressionLanguage } from '../../../workflows/plan/expressions/language.ts';
import { RUN_NAMES, runValues } from '../../../workflows/plan/expressions/run-names.ts';
import type { Plan } from '../../../workflows/plan/plan.ts';
import { compiler } from '../../support/compiler.ts';

function planOf(head: string, ...conditions: readonly string[]): Plan {
  const tasks = conditions.map((when, index) => `  - {name: t${index}, type: empty, depends_on: [], when: '${when}'}\n`);
  const { plan, diagnostics } = compiler.compile({ file: 'x.yaml', text: `dag_id: x\n${head}\ntasks:\n${tasks.join('')}` });
  assert.ok(plan, JSON.stringify(diagnostics, undefined, 1));
  return plan;
}

/** Runs a pipeline as `sluice test` does, and expects each condition to hold. */
async function assertHold(head: string, logicalDate: string, conditions: readonly string[]): Promise<void> {
  const plan = planOf(head, ...conditions);
  const tasks = Object.fromEntries(conditions.map((_, index) => [`t${index}`, 'success']));
  const { mistakes, run } = await runCase(plan, { name: 'x', logical_date: logicalDate, expect: { state: 'success', tasks } }, {});
  assert.deepEqual(mistakes, [], JSON.stringify([conditions, run?.result.tasks]));
}

const BERLIN = 'schedule: {cron: "0 0 * * *", timezone: Europe/Berlin}';

describe('days and times of a pipeline', () => {
  it('are those of its time zone', async () => {
    const conditions = [
      'ds == "2024-05-01"',
      'ds_nodash == "20240501"',
      'ts == "2024-05-01T00:00:00+02:00"',
      'prev_ds == "2024-04-30"',
      'next_ds == "2024-05-02"',
      'string(logical_date) == "2024-04-30T22:00:00Z"',
    ];
    await assertHold(BERLIN, '2024-05-01', conditions);
    await assertHold(BERLIN, '2024-04-30T22:00:00Z', conditions);
  });

  it('a day that is given is the day of ds, at whatever time the pipeline runs', async () => {
    const at = (cron: string): string => `schedule: {cron: "${cron}", timezone: Europe/Berlin}`;
    for (const day of ['2024-03-31', '2024-05-01', '2024-10-27']) await assertHold(at('30 2 * * *'), day, [`ds == "${day}"`]);
    await assertHold(at('0 9 * * 1'), '2024-05-06', ['ds == "2024-05-06"', 'next_ds == "2024-05-13"']);
    await assertHold(at('0 * * * *'), '2024-05-01', ['ts == "2024-05-01T00:00:00+02:00"']);
    const twice = planOf(at('0 6,18 * * *'), 'ds != ""');
    assert.throws(
      () => intervalOf(twice, '2024-05-01'),
      /with the day 2024-05-01\. On that day start 2024-05-01T04:00:00Z, 2024-05-01T16:00:00Z/,
    );
    assert.throws(
      () => intervalOf(planOf(at('0 9 * * 1'), 'ds != ""'), '2024-05-07'),
      /No data interval of x starts on 2024-05-07\. It lies in/,
    );
  });

  it('without a schedule, and in UTC', async () => {
    await assertHold('timezone: Asia/Tokyo', '2024-05-01', ['ds == "2024-05-01"', 'prev_ds == "2024-04-30"', 'next_ds == "2024-05-02"']);
    await assertHold('timezone: Asia/Tokyo', '2024-04-30T20:00:00Z', ['ds == "2024-05-01"', 'ts == "2024-05-01T05:00:00+09:00"']);
    await assertHold('schedule_interval: "@daily"', '2024-05-01', ['ds == "2024-05-01"', 'ts == "2024-05-01T00:00:00+00:00"']);
    await assertHold('schedule_interval: "@weekly"', '2024-05-05', ['prev_ds == "2024-04-28"', 'next_ds == "2024-05-12"']);
  });

  it('each day of a year comes once, where clocks are changed too', () => {
    for (const zone of ['Europe/Berlin', 'America/Sao_Paulo', 'America/New_York', 'Asia/Kathmandu', 'UTC']) {
      const plan = planOf(`schedule: {cron: "0 0 * * *", timezone: ${zone}}`, 'ds != ""');
      let interval = intervalOf(plan, '2018-01-01');
      for (let day = 0; day < 366; day++) {
        const expected = new Date(Date.UTC(2018, 0, 1 + day)).toISOString().slice(0, 10);
        const { ds, prev_ds: before, next_ds: following } = runValues(plan, 'x', interval);
        assert.deepEqual(
          [ds, before, following],
          [0, -1, 1].map((more) => new Date(Date.parse(expected) + more * 86_400_000).toISOString().slice(0, 10)),
          zone,
        );
        interval = intervalOf(plan, interval.end);
      }
    }
  });

  it('of a plan of an earlier release are those of UTC', () => {
    const { dateZone, ...earlier } = planOf(BERLIN, 'ds != ""');
    assert.equal(dateZone, 'Europe/Berlin');
    assert.equal(runValues(earlier, 'x', intervalOf(earlier, '2024-05-01')).ds, '2024-04-30');
  });
});

describe('a mistake in an expression of dates is reported when the file is compiled', () => {
  for (const [expression, expected] of [
    ['logical_date.year', /SL506.*no field 'year'.*int\(date\(logical_date, "yyyy"\)\)/],
    ['data_interval_end.day', /SL506.*int\(date\(data_interval_end, "d"\)\)/],
    ['logical_date.date', /SL506.*date\(logical_date\)/],
    ['date(ds, "yyyy", "Berlin")', /SL503.*'Berlin' is not a time zone/],
    ['addDays(ds, 1, "UTC+1")', /SL503.*'UTC\+1' is not a time zone/],
    ['startOfWeek(ds, "sunday")', /SL503.*'sunday' is not a time zone/],
    ['date("yesterday")', /SL503.*'yesterday' is not a day or a time/],
    ['string(timestamp("2024-01-01"))', /SL503.*'2024-01-01' is not a time with its zone.*2024-01-01T00:00:00Z/],
    ['string(logical_date - duration("1d"))', /SL503.*'1d' is not a duration.*24h/],
  ] as const) {
    it(expression, () => {
      const text = `dag_id: x\ntasks:\n  - {name: a, type: http, path: '/{{ ${expression} }}'}\n`;
      const { diagnostics } = compiler.compile({ file: 'x.yaml', text });
      assert.equal(diagnostics.length, 1, JSON.stringify(diagnostics));
      assert.match(`${diagnostics[0]?.code} ${diagnostics[0]?.message} ${diagnostics[0]?.hint ?? ''}`, expected);
    });
  }
});

describe('functions for dates', () => {
  it('read and show the clocks of the pipeline', () =>
    assertHold(BERLIN, '2024-03-31', [
      'date(logical_date) == "2024-03-31"',
      'date(logical_date, "yyyyMMdd HH:mm XXX") == "20240331 00:00 +01:00"',
      'date(logical_date, "yyyy-MM-dd", "America/New_York") == "2024-03-30"',
      'date(addDays(logical_date, 1), "HH:mm XXX") == "00:00 +02:00"',
      'date(addHours(logical_date, 24), "HH:mm") == "01:00"',
      'addDays(ds, -90) == "2024-01-01"',
      'addWeeks(ds_nodash, 1) == "2024-04-07"',
      'addMonths(ds, -1) == "2024-02-29"',
      'addYears("2024-02-29", 1) == "2025-02-28"',
      'addMinutes(ts, 90) == "2024-03-31T01:30:00+01:00"',
      'startOfWeek(ds) == "2024-03-25"',
      'string(startOfMonth(logical_date)) == "2024-02-29T23:00:00Z"',
      'startOfQuarter(ds) == "2024-01-01"',
      'endOfMonth(addMonths(ds, -1)) == "2024-02-29"',
      'endOfYear(logical_date) == "2024-12-31"',
      'dayOfWeek(ds) == 7',
      'daysBetween(ds, data_interval_end) == 1',
      'date("2024-12-30", "YYYY-ww DDD Q EEE d MMMM") == "2025-01 365 4 Mon 30 December"',
      `date(ds, "yyyy-MM-dd''T''HH") == "2024-03-31T00"`,
    ]));

  it('are as their documentation says', () =>
    assertHold(
      BERLIN,
      '2024-05-15',
      DATE_FUNCTIONS.map(({ example: [expression, result] }) => `string(${expression}) == "${result}"`),
    ));

  it('are on page 01, with every other function and name of expressions', async () => {
    const page = await readFile('docs/01-writing-pipelines.md', 'utf8');
    for (const { usage, meaning, example } of DATE_FUNCTIONS) {
      assert.ok(page.includes(`| ${usage} | ${meaning} | \`${example[0]}\` is \`${example[1]}\` |`), usage);
    }
    assert.ok(page.includes(FORMAT_LETTERS.map((letters) => `\`${letters}\``).join(' ')));
    const functions = expressionLanguage(true)
      .getDefinitions()
      .functions.map(({ name }) => name)
      .filter((name) => name !== 'matches' && !/^(add|startOf|endOf)/.test(name));
    for (const name of [...functions, ...Object.keys(RUN_NAMES)]) assert.match(page, new RegExp(`\\b${name}\\b`), name);
  });

  for (const [pattern, hint] of [
    ['%Y-%m-%d', 'write "yyyy-MM-dd"'],
    ['YYYY-mm-DD', 'write "yyyy-MM-dd"'],
    ['yyyy-mm-dd', 'write "yyyy-MM-dd"'],
    ['yyyy-MM-DD', 'write dd'],
    ['HH:MM', 'write "HH:mm"'],
    ['HHMM', 'write "HHmm"'],
    ['HH-MM', 'write "HH-mm"'],
    ['yyyyMMddHHMM', 'write "yyyyMMddHHmm"'],
    ['yyyy-mm-dd HH:mm', 'write "yyyy-MM-dd HH:mm"'],
    ['dd/mm/yyyy HH:mm:ss', 'write "dd/MM/yyyy HH:mm:ss"'],
    ["yyyy-mm-dd'T'HH:mm:ss", `write "yyyy-MM-dd'T'HH:mm:ss"`],
    ["yyyy-MM-dd'T", 'T'],
  ] as const) {
    it(`refuse the pattern ${pattern} when the file is compiled`, () => {
      const { diagnostics } = compiler.compile({
        file: 'x.yaml',
        text: `dag_id: x\ntasks:\n  - {name: a, type: http, path: '/{{ date(ds, "${pattern.replaceAll("'", "''")}") }}'}\n`,
      });
      assert.deepEqual(
        diagnostics.map(({ code }) => code),
        ['SL507'],
      );
      assert.ok(diagnostics[0]?.hint?.includes(hint), diagnostics[0]?.hint);
    });
  }
});
