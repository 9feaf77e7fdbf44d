import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { compiler } from '../../support/compiler.ts';

function told(text: string): string[] {
  const { diagnostics } = compiler.compile({ file: 'x.yaml', text: `dag_id: x\n${text}` });
  return diagnostics.map(({ code, message, hint = '' }) => `${code} ${message} | ${hint}`);
}

const task = (keys: string): string => `tasks: [{name: a, ${keys}}]`;
const EMPTY = 'tasks: [{name: a, type: empty}]';

/** A file with one mistake, and the words that its only message must have. */
const MISTAKES: readonly (readonly [file: string, words: string])[] = [
  // Durations as other systems write them.
  ...(
    [
      ['1 hour', '1h'],
      ['90 minutes', '1h30m'],
      ['"1:30:00"', '1h30m'],
      ['1.5h', '1h30m'],
      ['5min', '5m'],
      ['1hr', '1h'],
      ['"1 day, 2 hours"', '1d2h'],
      ['timedelta(hours=1, minutes=5)', '1h5m'],
      ['{hours: 1}', '1h'],
      ['{__type__: datetime.timedelta, minutes: 90}', '1h30m'],
    ] as const
  ).map(([given, ours]) => [`dagrun_timeout: ${given}\n${EMPTY}`, `write ${ours}`] as const),
  [`dagrun_timeout: 0\n${EMPTY}`, 'write a duration such as'],
  [`dagrun_timeout: true\n${EMPTY}`, 'write a duration such as'],
  // Schedules.
  ...(
    [
      ['None', 'schedule_interval: null'],
      ['manual', 'schedule_interval: null'],
      ['"@once"', '`sluice run`'],
      ['"@every 5m"', 'write 5m'],
      ['1 day', 'write 1d'],
      ['every 5 minutes', 'write 5m'],
      ['timedelta(days=1)', 'write 1d'],
      ['{days: 7}', 'write 7d'],
      ['CRON_TZ=Europe/Berlin 0 6 * * *', 'schedule: {cron: "0 6 * * *", timezone: Europe/Berlin}'],
      ['0 6 * * 1-5 Europe/Berlin', 'schedule: {cron: "0 6 * * 1-5", timezone: Europe/Berlin}'],
      ['0 0 6 * * *', 'seconds'],
      ['0 6 ? * MON', 'write * in place of ?'],
      ['0 6 * * monday', 'write mon'],
    ] as const
  ).map(([given, ours]) => [`schedule_interval: ${given}\n${EMPTY}`, ours] as const),
  [`timezone: Berlin\n${EMPTY}`, 'write Europe/Berlin'],
  [`timezone: New York\n${EMPTY}`, 'write America/New_York'],
  [`timezone: UTC+1\n${EMPTY}`, 'Europe/Berlin'],
  // Text that the key would refuse in quotes too.
  [`start_date: 20240101\n${EMPTY}`, 'for example `start_date: '],
  [`schedule_interval: "@daily"\nsla: [{name: x, by: 6}]\n${EMPTY}`, 'for example `by: '],
  // One mistake, one error.
  [`sla: {hours: 2}\n${EMPTY}`, 'max_duration'],
  [`concurrency: {max: 2}\n${EMPTY}`, 'limit'],
  [`schedule: {interval: 1h}\n${EMPTY}`, 'every'],
  [`triggers: [{name: t, type: kafka, topic: x, mode: {batch: 100}}]\n${EMPTY}`, '`batch: {max_records: 1000'],
  [task('type: notify, to: [slack, pagerduty], message: hi'), "'to' must be text"],
  [task('type: http, path: "/{{ item }}", expand: {items: [1, 2]}'), "use 'over'"],
  [task('type: empty, switch: {on: ds, cases: [a]}'), '`cases: {full: [load_all]}`'],
  // Booleans, enums and lists.
  [task('type: empty, allow_failure: "true"'), 'leave the quotes out: true'],
  [task('type: empty, allow_failure: yes'), 'true and false'],
  [task('type: empty, trigger_rule: TriggerRule.ALL_DONE'), "use 'all_done'"],
  [`params: {n: {type: int, default: 1}}\n${EMPTY}`, "use 'integer'"],
  [task('type: command, argv: python3 report.py --day 1'), '[python3, report.py, "--day", "1"]'],
  [task('type: command, argv: [python3 report.py]'), 'write [python3, report.py]'],
  [task('type: command, cmd: [echo]'), "use 'argv'"],
  [task('type: approval, message: ok?'), "use 'prompt'"],
  [task('type: sql, sql: queries/daily.sql'), 'write sql_file: queries/daily.sql'],
  [task('type: postgres_to_s3, query: daily.sql, s3_bucket: raw-data'), 'write sql_file: daily.sql'],
  [
    task('type: s3_to_redshift, s3_bucket: raw-data, s3_key: a/b, redshift_table: sales.orders'),
    'schema: sales, and redshift_table: orders',
  ],
  [task('type: s3_to_redshift, s3_bucket: raw-data, s3_key: a/b, redshift_table: t, method: upsert'), 'upsert_keys: [id]'],
  [task('type: s3_to_redshift, s3_bucket: raw-data, s3_key: a/b, redshift_table: t, upsert_keys: [id]'), 'method: upsert'],
  [task('type: postgres_to_s3, source_table: t, s3_bucket: raw-data, s3_key: s3://raw-data/x'), 'a prefix inside the bucket'],
  [task('type: sql, sql: SELECT 1, retry_exponential_backoff: yes'), 'true and false'],
  [`params: {n: {type: integer, default: "5"}}\n${EMPTY}`, 'leave the quotes out: 5'],
  [`params: {v: {type: string, enum: [1.10, "1.9"], default: "1.9"}}\n${EMPTY}`, 'put it in quotes: "1.10"'],
  [`timezone: Europe/Belrin\n${EMPTY}`, "did you mean 'Europe/Berlin'?"],
  [`execution: parallel\n${EMPTY}`, "use 'graph'"],
  [`default_args: {start_date: 2024-01-01}\n${EMPTY}`, 'is a key of the pipeline'],
  [`default_args: {conn_id: shop}\n${EMPTY}`, "'conn_id' belongs to each task"],
  [task('type: empty, task_id: a'), "that is 'name' here"],
  [`"on": push\n${EMPTY}`, '`triggers`'],
  // Keys of the pipeline in a task.
  ...['outlets: [s3://a/b]', 'description: x', 'tags: [x]', 'start_date: 2024-01-01', 'catchup: false'].map(
    (key) => [task(`type: empty, ${key}`), 'is a key of the pipeline: put it at the top of the file'] as const,
  ),
];

describe('what is meant is reported in one message that leads to it', () => {
  for (const [file, words] of MISTAKES) {
    it(file.replace(`\n${EMPTY}`, ''), () => {
      const found = told(file);
      assert.equal(found.length, 1, found.join('\n'));
      assert.ok(found[0]?.includes(words), found[0]);
    });
  }

  it('shows no pattern of a regular expression', () => {
    const patterns: string[] = [];
    const visit = (schema: unknown, path: string): void => {
      if (typeof schema !== 'object' || schema === null) return;
      if ('pattern' in schema && typeof schema.pattern === 'string' && !('form' in schema)) patterns.push(`${path} ${schema.pattern}`);
      // Names of keys have a message of their own.
      for (const [key, each] of Object.entries(schema)) if (key !== 'propertyNames') visit(each, `${path}/${key}`);
    };
    visit(compiler.schema, '');
    assert.deepEqual(patterns, []);
  });

  it('takes a preset as cron, alone and in a list', () => {
    assert.deepEqual(told(`schedule: {cron: "@daily", timezone: Europe/Berlin}\n${EMPTY}`), []);
    assert.deepEqual(told(`schedule: {cron: ["@daily", "0 12 * * *"]}\n${EMPTY}`), []);
  });
});
