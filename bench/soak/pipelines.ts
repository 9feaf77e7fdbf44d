/** Pipelines of a soak test by dag_id, with the guarantee that each must keep despite kills. */
export interface SoakPipelines {
  readonly files: Readonly<Record<string, string>>;
  /** Scheduled; every run succeeds. */
  readonly healthy: readonly string[];
  /** Every interval is paged once. */
  readonly late: string;
  readonly failing: string;
  /** Every event starts one run. */
  readonly events: string;
  /** Each run appends `ROWS` rows to `table`. */
  readonly loads: string;
  readonly table: string;
  readonly topic: string;
  readonly bucket: string;
}

/** Row count of the source table of the loading pipeline. */
export const ROWS = 100;

/** @param name lower-case letters and digits, unique among all soak tests on the same servers */
export function soakPipelines(name: string): SoakPipelines {
  const [loads, late, failing, events] = [`soak_loads_${name}`, `soak_late_${name}`, `soak_failing_${name}`, `soak_events_${name}`];
  const quick = [1, 2, 3].map((number) => `soak_quick_${number}_${name}`);
  const [table, topic, bucket] = [`soak_${name}`, `soak-${name}`, `soak-${name}`];
  const alerts = 'alerts: {pagerduty: {severity: error}}';
  const every = (dagId: string, period: string, more: string): string =>
    `dag_id: ${dagId}\nschedule: {every: ${period}}\n${alerts}\n${more}\n`;
  const isHealthy = 'sla: [{name: in_time, within: 10m, reference: data_interval_end}]';
  const files = {
    ...Object.fromEntries(
      quick.map((dagId) => [dagId, every(dagId, '10s', `${isHealthy}\ntasks: [{name: a, type: empty}, {name: b, type: empty}]`)]),
    ),
    [loads]: every(
      loads,
      '20s',
      `${isHealthy}
tasks:
  - {name: extract, type: postgres_to_s3, source_table: ${table}, s3_bucket: ${bucket}}
  - {name: load, type: s3_to_redshift, s3_bucket: ${bucket}, redshift_table: ${table}_loaded, method: append}`,
    ),
    [late]: every(
      late,
      '1m',
      `sla: [{name: quick, within: 5s, reference: started_at}]
tasks: [{name: sleep, type: sql, conn_id: redshift_default, sql: SELECT pg_sleep(30)}]`,
    ),
    [failing]: every(
      failing,
      '2m',
      'tasks: [{name: check, type: sql_check, conn_id: redshift_default, checks: [{name: one, sql: SELECT 0, equals: 1}]}]',
    ),
    [events]: `dag_id: ${events}\n${alerts}\ntriggers: [{name: records, type: kafka, topic: ${topic}, start: earliest}]\ntasks: [{name: a, type: empty}]\n`,
  };
  return { files, healthy: [...quick, loads], late, failing, events, loads, table, topic, bucket };
}
