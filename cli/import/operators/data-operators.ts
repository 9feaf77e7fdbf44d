import { copyOptions, connection, map, prefix, statement, text, texts, wholeNumber } from '../argument-converters.ts';
import type { OperatorMappings } from './operator-mapping.ts';

/** Operators that move or process data. */
export const DATA_OPERATORS = {
  SqlToS3Operator: {
    type: 'postgres_to_s3',
    arguments: {
      query: statement('query'),
      s3_bucket: text('s3_bucket'),
      s3_key: prefix,
      sql_conn_id: connection('postgres_conn_id'),
      aws_conn_id: connection('aws_conn_id'),
      file_format: (value) => {
        const format = { csv: 'csv', json: 'jsonl', parquet: 'parquet' }[String(value).toLowerCase()];
        return format === undefined ? { lost: 'is none of csv, json and parquet' } : { keys: { file_format: format } };
      },
    },
    ignored: ['replace'],
    needs: ['query', 's3_bucket'],
    essential: ['parameters'],
  },
  S3ToRedshiftOperator: {
    type: 's3_to_redshift',
    arguments: {
      s3_bucket: text('s3_bucket'),
      s3_key: prefix,
      schema: text('schema'),
      table: text('redshift_table'),
      column_list: texts('columns'),
      upsert_keys: texts('upsert_keys'),
      copy_options: copyOptions,
      method: (value) => ({ keys: { method: String(value).toLowerCase() } }),
      redshift_conn_id: connection('redshift_conn_id'),
      aws_conn_id: connection('aws_conn_id'),
    },
    ignored: ['autocommit', 'verify'],
    needs: ['s3_bucket', 'redshift_table'],
    defaults: { method: 'append' },
  },
  SparkSubmitOperator: {
    type: 'spark_job',
    arguments: {
      application: (value) => {
        if (typeof value !== 'string') return { lost: 'is not a path' };
        if (/^[a-z][a-z0-9]*:\/\//.test(value)) return { keys: { application: value } };
        const file = value.replace(/^.*\//, '');
        return { keys: { application: file }, why: `jobs lie in jobs/: put ${file} there` };
      },
      application_args: texts('application_args'),
      java_class: text('java_class'),
      conf: map('conf'),
      packages: (value) => ({
        keys: {
          packages: String(value)
            .split(',')
            .map((each) => each.trim()),
        },
      }),
      deploy_mode: text('deploy_mode'),
      driver_memory: text('driver_memory'),
      executor_memory: text('executor_memory'),
      executor_cores: wholeNumber('executor_cores'),
      num_executors: wholeNumber('num_executors'),
      conn_id: connection('spark_conn_id'),
    },
    ignored: ['name', 'verbose'],
    needs: ['application'],
    note: 'a spark_job reads the dataset of an upstream task and writes one; it receives both as arguments, --input and --output',
  },
} as const satisfies OperatorMappings;
