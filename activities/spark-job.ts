import Type from 'typebox';
import { type DatasetReference, DATASET_FORMATS } from '../workflows/plan/datasets/dataset.ts';
import { minRows } from './support/dataset/min-rows.ts';
import { defineTask } from './define-task.ts';
import { sparkMistakes } from './spark/check-policy.ts';
import { DEFAULT_MAX_ROWS_PER_FILE } from './spark/default-rows.ts';

const Scalar = Type.Union([Type.String(), Type.Number(), Type.Boolean()]);
const MEMORY = { pattern: '^[1-9][0-9]*[kmgtKMGT]?$', form: 'a number and k, m, g or t' };

// Plain JSON Schema with a TypeScript type: a reference is readonly, and TypeBox's types are mutable.
const DatasetOrNothing = Type.Unsafe<DatasetReference | null>(
  Type.Union([
    Type.Object({
      uri: Type.String(),
      manifest: Type.String(),
      format: Type.Enum([...DATASET_FORMATS]),
      rows: Type.Integer(),
      bytes: Type.Integer(),
      schema: Type.Array(Type.Object({ name: Type.String(), type: Type.String() })),
    }),
    Type.Null(),
  ]),
);

/** Runs a Spark job through spark-submit and publishes its output as the task's dataset. */
export const sparkJob = defineTask({
  type: 'spark_job',
  description: 'Runs a Spark job from jobs/ on the dataset of its upstream task and publishes its output.',
  summary: ({ job_name, application }) => `spark: ${job_name ?? application ?? ''}`,
  params: Type.Object({
    job_name: Type.Optional(
      Type.String({
        title: 'Job',
        description: 'Runs jobs/<job_name>.py, or .jar. Either this or `application`.',
        form: 'letters, digits, _ and -',
        template: 'none',
        examples: ['category_transformer'],
        pattern: '^[A-Za-z0-9_][A-Za-z0-9_-]*$',
      }),
    ),
    application: Type.Optional(
      Type.String({
        title: 'Application',
        description: 'A file under jobs/, or an s3://, s3a:// or hdfs:// URI; the connection may narrow them.',
        minLength: 1,
        template: 'none',
        examples: ['s3://code/job.jar'],
      }),
    ),
    application_args: Type.Optional(
      Type.Array(Type.String(), { title: 'Arguments', description: "Follow Sluice's own arguments.", examples: [['--day', '{{ ds }}']] }),
    ),
    java_class: Type.Optional(
      Type.String({
        title: 'Main class',
        description: 'The main class of a jar that names none.',
        pattern: '^[\\w.$]+$',
        form: 'the name of a class',
        template: 'none',
        examples: ['com.example.Job'],
      }),
    ),
    params: Type.Optional(
      Type.Record(Type.String({ pattern: '^[^=]+$' }), Scalar, {
        title: 'Parameters',
        description: 'Handed to the job as one --param k=v each.',
        examples: [{ rank: 32 }],
      }),
    ),
    conf: Type.Optional(
      Type.Record(Type.String({ pattern: '^spark\\.' }), Scalar, {
        title: 'Configuration',
        description:
          "Spark properties; they win over Sluice's own. Sizes, times and switches, options of Java that size or tune it, and what `conf` of the connection allows.",
        examples: [{ 'spark.sql.shuffle.partitions': 64 }],
      }),
    ),
    packages: Type.Optional(
      Type.Array(Type.String({ pattern: '^[\\w.-]+:[\\w.-]+:[\\w.-]+$', form: 'group:artifact:version' }), {
        title: 'Packages',
        description: 'Maven coordinates that the job needs.',
        examples: [['org.postgresql:postgresql:42.7.4']],
      }),
    ),
    deploy_mode: Type.Optional(
      Type.Union([Type.Literal('client'), Type.Literal('cluster')], {
        title: 'Deploy mode',
        description: "Where the driver runs. Default: the connection's.",
        examples: ['client'],
      }),
    ),
    driver_memory: Type.Optional(Type.String({ ...MEMORY, title: 'Driver memory', description: 'Of the driver.', examples: ['2g'] })),
    executor_memory: Type.Optional(
      Type.String({ ...MEMORY, title: 'Executor memory', description: 'Of each executor.', examples: ['4g'] }),
    ),
    executor_cores: Type.Optional(Type.Integer({ minimum: 1, title: 'Executor cores', description: 'Of each executor.', examples: [4] })),
    num_executors: Type.Optional(Type.Integer({ minimum: 1, title: 'Executors', description: 'How many.', examples: [10] })),
    max_rows_per_file: Type.Optional(
      Type.Integer({
        title: 'Rows a file',
        description: `Rows in each output file. Default: ${DEFAULT_MAX_ROWS_PER_FILE}.`,
        minimum: 1,
        examples: [250_000],
      }),
    ),
    min_rows: minRows,
  }),
  result: DatasetOrNothing,
  connections: {
    spark: { key: 'spark_conn_id', default: 'spark_default', types: ['spark'], description: 'The Spark that runs the job.' },
    storage: { key: 'aws_conn_id', default: 'aws_default', types: ['aws'], description: 'Where the data is.' },
  },
  data: { reads: {}, writes: {} },
  // A job keeps running when its worker dies; a short timeout lets the next worker take it over soon.
  defaults: { heartbeat_timeout: '15s' },
  example: { name: 'transform_category_data', type: 'spark_job', job_name: 'category_transformer' },
  mistakes: sparkMistakes,
  run: async (context, params) => (await import('./spark/run-spark-job.ts')).runSparkJob(context, params),
});
