/** The keys of a `spark_job` that define how it runs. */
export interface SparkJobParams {
  readonly job_name?: string;
  readonly application?: string;
  readonly application_args?: readonly string[];
  readonly java_class?: string;
  readonly conf?: Readonly<Record<string, string | number | boolean>>;
  readonly packages?: readonly string[];
  readonly deploy_mode?: 'client' | 'cluster';
  readonly executor_cores?: number;
  readonly executor_memory?: string;
  readonly num_executors?: number;
  readonly driver_memory?: string;
  readonly params?: Readonly<Record<string, string | number | boolean | null>>;
  readonly max_rows_per_file?: number;
  readonly min_rows?: number;
  readonly aws_conn_id?: string;
}
