import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { convertSchedule } from '../../../cli/import/convert-schedule.ts';
import { readDate } from '../../../cli/import/dates.ts';
import { durationText, readDuration } from '../../../cli/import/durations.ts';
import { translateJinja } from '../../../cli/import/jinja.ts';
import type { JinjaNames } from '../../../cli/import/jinja-names.ts';
import { adaptName, adaptNames } from '../../../cli/import/names.ts';
import { Report } from '../../../cli/import/report.ts';
import { readSource } from '../../../cli/import/source-value.ts';
import type { Json } from '../../../workflows/plan/values/json.ts';

describe('durations of Airflow', () => {
  const cases: [Json, string | undefined][] = [
    [300, '5m'],
    [0.5, '500ms'],
    [90_061, '1d1h1m1s'],
    ['PT1H30M', '1h30m'],
    ['P1D', '1d'],
    ['1 day, 2:00:00', '1d2h'],
    ['0:05:00', '5m'],
    ['2 days', '2d'],
    ['1 hours', '1h'],
    [{ __type__: 'datetime.timedelta', hours: 1, minutes: 5 }, '1h5m'],
    [{ __type__: 'datetime.timedelta', __args__: [2] }, '2d'],
    [{ __type: 'timedelta', __var: 60 }, '1m'],
    [{ __type: 'TimeDelta', days: 1, seconds: 30, microseconds: 0 }, '1d30s'],
    [-1, undefined],
    ['soon', undefined],
    ['1 days,', undefined],
    [{ __type__: 'dateutil.relativedelta.relativedelta', hour: 18 }, undefined],
    [{ __type__: 'datetime.timedelta', hours: 'x' }, undefined],
    [null, undefined],
    [[1], undefined],
  ];
  for (const [given, wanted] of cases) {
    it(JSON.stringify(given), () => {
      const ms = readDuration(given);
      assert.equal(ms === undefined ? undefined : durationText(ms), wanted);
    });
  }
});

describe('dates of Airflow', () => {
  const cases: [Json, string | undefined][] = [
    ['2024-01-31', '2024-01-31'],
    ['2024-01-31 00:00:00', '2024-01-31'],
    ['2024-01-31T00:00:00+00:00', '2024-01-31'],
    ['2024-01-31T05:00:00Z', '2024-01-31T05:00:00Z'],
    ['2024-01-31T00:00:00+0200', '2024-01-31T00:00:00+02:00'],
    [1_704_067_200, '2024-01-01'],
    [{ __type: 'datetime', __var: 1_704_085_200 }, '2024-01-01T05:00:00Z'],
    [{ __type__: 'datetime.datetime', year: 2024, month: 1, day: 2 }, '2024-01-02'],
    ['2 days', undefined],
    ['205-01-01-01', undefined],
    ['2024-13-01', undefined],
    ['2024-02-30', undefined],
    [1e18, undefined],
    [null, undefined],
  ];
  for (const [given, wanted] of cases) it(JSON.stringify(given), () => assert.equal(readDate(given), wanted));
});

describe('schedules of Airflow', () => {
  const cases: [string, object, ('changed' | 'not_kept')?][] = [
    ['schedule: "@daily"', { schedule_interval: '@daily' }],
    ['schedule_interval: "0  3 * * *"', { schedule_interval: '0 3 * * *' }],
    ['schedule: "@quarterly"', { schedule_interval: '0 0 1 */3 *' }],
    ['schedule: null', { schedule_interval: null }],
    ['schedule: " None "', { schedule_interval: null }],
    ['description: none', { schedule_interval: null }, 'changed'],
    ['schedule: "@once"', { schedule_interval: null }, 'not_kept'],
    ['schedule: "@continuous"', { schedule_interval: null }, 'not_kept'],
    ['schedule: "0 0 31 2 *"', { schedule_interval: null }, 'not_kept'],
    ['schedule: "0 0 0 * * *"', { schedule_interval: null }, 'not_kept'],
    ['schedule: {__type__: datetime.timedelta, minutes: 15}', { schedule_interval: '15m' }, 'changed'],
    ['schedule: {__type__: dateutil.relativedelta.relativedelta, hour: 18}', { schedule_interval: null }, 'not_kept'],
    ['schedule: {__type: CronExpression, value: "@daily"}', { schedule_interval: '@daily' }],
    ['schedule: "1 day, 0:00:00"', { schedule_interval: '1d' }, 'changed'],
    [
      'timetable: {__type__: airflow.timetables.trigger.CronTriggerTimetable, __args__: ["0 1 * * 3"], timezone: Europe/Paris}',
      { schedule_interval: '0 1 * * 3', timezone: 'Europe/Paris' },
      'changed',
    ],
    [
      'schedule: {__type: airflow.timetables.interval.CronDataIntervalTimetable, __var: {expression: "0 1 * * *", timezone: UTC}}',
      { schedule_interval: '0 1 * * *' },
    ],
    [
      'schedule: {__type: airflow.timetables.interval.DeltaDataIntervalTimetable, __var: {delta: 3600.0}}',
      { schedule_interval: '1h' },
      'changed',
    ],
    ['schedule: {__type: airflow.timetables.simple.NullTimetable, __var: {}}', { schedule_interval: null }],
    ['schedule: {__type: airflow.timetables.simple.OnceTimetable, __var: {}}', { schedule_interval: null }, 'not_kept'],
    ['schedule: {__type: my.Moon, __var: {}}', { schedule_interval: null }, 'not_kept'],
    ['schedule: [s3://a/b, s3://c/d]', triggers({ all: ['s3://a/b', 's3://c/d'] })],
    ['schedule: {datasets: ["s3://a/b"]}', triggers({ all: ['s3://a/b'] })],
    ['schedule: {__or__: [{__type__: airflow.sdk.Asset, uri: s3://a/b}, s3://c/d]}', triggers({ any: ['s3://a/b', 's3://c/d'] })],
    ['schedule: {datasets: "(s3://a/b & s3://c/d)"}', triggers({ all: ['s3://a/b', 's3://c/d'] })],
    ['schedule: {any: [{asset: {uri: s3://a/b}}]}', triggers({ any: ['s3://a/b'] })],
    ['schedule: {datasets: "((s3://a/b & s3://c/d) | s3://e/f)"}', { schedule_interval: null }, 'not_kept'],
    ['schedule: [my_table]', { schedule_interval: null }, 'not_kept'],
    ['schedule: ["s3://$BUCKET/a"]', { schedule_interval: null }, 'not_kept'],
  ];
  for (const [yaml, wanted, outcome] of cases) {
    it(yaml, () => {
      const report = new Report();
      const { fields = new Map(), place } = readSource('dag.yml', yaml);
      assert.deepEqual(convertSchedule({ fields, place }, report), wanted);
      assert.deepEqual(
        report.entries.map((entry) => entry.outcome).filter((each) => each !== 'kept'),
        outcome ? [outcome] : [],
      );
    });
  }

  function triggers(sets: object): object {
    return { schedule_interval: null, triggers: [{ name: 'data_sets', type: 'dataset', ...sets }] };
  }
});

describe('Jinja', () => {
  const names: JinjaNames = {
    params: new Map([
      ['region', { name: 'region', kind: 'text' }],
      ['Other-One', { name: 'other_one', kind: 'text' }],
      ['days', { name: 'days', kind: 'number' }],
      ['full', { name: 'full', kind: 'boolean' }],
    ]),
    task: 'load',
    parameter: (_, name) => (name === 'secret' ? undefined : name),
    output: (task) => (task === 'list' ? { cel: 'outputs.list.stdout.trim()', kind: 'text' } : undefined),
  };
  const cases: [string, string | null][] = [
    ['{{ ds }}', '{{ ds }}'],
    ['{{ds_nodash}}/{{- run_id -}}', '{{ ds_nodash }}/{{ run_id }}'],
    ['{{ dag.dag_id }}', '{{ dag_id }}'],
    ['{{ execution_date }}', '{{ logical_date }}'],
    ['{{ data_interval_start|ds }} {{ data_interval_end }}', '{{ ds }} {{ data_interval_end }}'],
    ['{{ params.region }}', '{{ params.region }}'],
    ["{{ params['Other-One'] }}", '{{ params.other_one }}'],
    ['{{ params.unknown }}', null],
    ['{{ macros.ds_add(ds, 1) }}', '{{ addDays(ds, 1) }}'],
    ['{{ macros.ds_add(ds, -params.days) }}', '{{ addDays(ds, -params.days) }}'],
    ['{{ macros.ds_add(ds, 27-7*9) }}', '{{ addDays(ds, -36) }}'],
    ['{{ macros.ds_add(yesterday_ds, 1) | replace("-", "") }}', '{{ (addDays(addDays(ds, -1), 1)).split("-").join("") }}'],
    ['{{ macros.ds_format(ds, "%Y-%m-%d", "%m%d%Y") }}', '{{ date(ds, "MMddyyyy") }}'],
    ['{{ macros.ds_format(macros.ds_add(ds, 5), "%Y-%m-%d", "%Y%m%d") }}', '{{ date(addDays(ds, 5), "yyyyMMdd") }}'],
    ['{{ macros.ds_format(ds, "%d.%m.%Y", "%Y") }}', null],
    ["{{ execution_date.strftime('%Y-%m') }}", '{{ date(logical_date, "yyyy-MM") }}'],
    ["{{ execution_date.strftime('%Y-%m-%d') }}", '{{ ds }}'],
    ["{{ execution_date.strftime('year=%Y/hour=%H') }}", `{{ date(logical_date, "'year'=yyyy/'hour'=HH") }}`],
    ["{{ execution_date.strftime('%b%y').lower() }}", '{{ date(logical_date, "MMMyy").lowerAscii() }}'],
    ["{{ (execution_date - macros.timedelta(days=1)).strftime('%Y-%m-%d') }}", '{{ date(addDays(logical_date, -1)) }}'],
    ["{{ execution_date.subtract(months=1).strftime('%Y%m') }}", '{{ date(addMonths(logical_date, -1), "yyyyMM") }}'],
    [
      "{{ (macros.datetime.strptime(ds, '%Y-%m-%d') - macros.timedelta(7)).strftime('%Y%m%d') }}",
      '{{ date(addDays(ds, -7), "yyyyMMdd") }}',
    ],
    [
      "{{ (next_execution_date - macros.dateutil.relativedelta.relativedelta(months=1)).strftime('%m') }}",
      '{{ date(addMonths(data_interval_end, -1), "MM") }}',
    ],
    ['{{ data_interval_end.in_timezone("Asia/Seoul") | ds }}', '{{ date(data_interval_end, "yyyy-MM-dd", "Asia/Seoul") }}'],
    [
      '{{ data_interval_start.year }}-{{ data_interval_start.month }}',
      '{{ date(data_interval_start, "yyyy") }}-{{ date(data_interval_start, "M") }}',
    ],
    ['{{ execution_date.hour }}', '{{ date(logical_date, "H") }}'],
    ['{{ execution_date.minute }}', '{{ string(int(date(logical_date, "mm"))) }}'],
    ["{{ params.region or 'eu' }}", '{{ params.region != "" ? params.region : "eu" }}'],
    ['full={{ params.full }}', 'full={{ (params.full ? "True" : "False") }}'],
    ["{{ params.region | default('eu') }}", '{{ params.region }}'],
    ["{{ params.region | default('eu', true) }}", '{{ params.region != "" ? params.region : "eu" }}'],
    ['{{ params.days | default(7, true) }}', null],
    ['{{ execution_date.replace(day=1) | ds }}', '{{ date(addDays(logical_date, 1 - int(date(logical_date, "d")))) }}'],
    [
      '{{ logical_date.replace(hour=4, minute=0).isoformat() }}',
      `{{ date(addHours(startOfDay(logical_date), 4), "yyyy-MM-dd'T'HH:mm:ssXXX") }}`,
    ],
    ["{{ prev_execution_date.strftime('%Y%m%d') }}", '{{ date(prev_ds, "yyyyMMdd") }}'],
    ["{{ prev_execution_date.strftime('%H') }}", null],
    ['{{ ts_nodash }}', `{{ date(logical_date, "yyyyMMdd'T'HHmmss") }}`],
    ['{{ var.value.bucket }}/{{ var.json.shop.region }}', '{{ params.bucket }}/{{ params.shop.region }}'],
    ['{{ var.value.secret }}', null],
    ["{{ dag_run.conf['table'] }}", '{{ params.table }}'],
    ["{{ dag_run.conf.get('day', ds) }}", '{{ params.day == null ? ds : string(params.day) }}'],
    ["{{ dag_run.conf.get('env') or 'dev' }}", '{{ params.env }}'],
    ["{{ dag_run.conf['m'] if dag_run.conf else '' }}", '{{ params.m }}'],
    ["{{ 'full' if params.full else 'delta' }}", '{{ params.full ? "full" : "delta" }}'],
    ['{{ "a" ~ params.region ~ "-" ~ ds }}', '{{ (("a" + params.region) + "-") + ds }}'],
    ['{{ conn.Shop.host }}:{{ conn.shop.port }}', '{{ conn.shop.host }}:{{ string(conn.shop.port) }}'],
    ['{{ conn.shop.password }}', null],
    ['{{ task.task_id }}/{{ ti.task_id }}', 'load/load'],
    ["{{ ti.xcom_pull(task_ids='list') }}", '{{ outputs.list.stdout.trim() }}'],
    ["{{ ti.xcom_pull(task_ids='python') }}", null],
    ['{{ params.days }}', '{{ string(params.days) }}'],
    ['{{ constructor }}', null],
    ['{{ macros.datetime.now() }}', null],
    ['{{ ti.try_number }}', null],
    ['{{ ds.__class__ }}', null],
    ['{% if x %}a{% endif %}', null],
    ['{% if params.full %}a {{ ds }}{% else %}b{% endif %}', '{{ params.full ? ("a " + ds) : "b" }}'],
    ['{% set d = macros.ds_add(ds, 1) %}{{ d }}', '{{ addDays(ds, 1) }}'],
    ['{% for x in y %}a{% endfor %}', null],
    ['{# note #}', ''],
    ['{{ ds', null],
    ['{{ ds }} {{', null],
  ];
  for (const [given, wanted] of cases) {
    it(given, () => {
      const { text, lost } = translateJinja(given, names);
      if (wanted === null) assert.notDeepEqual(lost, []);
      else assert.deepEqual([text, lost], [wanted, []]);
    });
  }
});

describe('names', () => {
  it('that do not fit are made to', () => {
    assert.deepEqual(
      [
        adaptName('Sales-Daily', 'dag'),
        adaptName('2024', 'dag'),
        adaptName('Übersicht', 'dag'),
        adaptName('日本', 'task'),
        adaptName('a.b', 'group'),
        adaptName('', 'task'),
        adaptName('x'.repeat(200), 'dag').length,
      ],
      ['sales_daily', 'dag_2024', 'ubersicht', 'task', 'a_b', 'task', 128],
    );
  });

  it('stay apart, and those that fit keep theirs', () => {
    assert.deepEqual(
      [...adaptNames(['a-b', 'a_b', 'a.b'], 'task')],
      [
        ['a-b', 'a_b_2'],
        ['a_b', 'a_b'],
        ['a.b', 'a_b_3'],
      ],
    );
  });
});
