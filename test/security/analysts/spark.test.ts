import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { sparkJob } from '../../../activities/spark-job.ts';
import { ConnectionError, parseConnection } from '../../../connections/parse.ts';
import type { JsonObject } from '../../../workflows/plan/values/json.ts';
import { failureOf } from '../../support/failure-of.ts';
import { runTask } from '../../support/run-task.ts';
import { planOf } from '../../support/yaml-runs.ts';

/** Tasks that run code from where nobody has put it on purpose. */
const CODE_FROM_ELSEWHERE: readonly JsonObject[] = [
  ...[
    'http://evil/x.py',
    'https://evil/x.jar',
    'ftp://evil/x.py',
    'HTTP://evil/x.py',
    'file:///etc/x.py',
    'file:/etc/x.py',
    'local:///x.py',
  ],
  ...['s3://code/a/../../x.py', 's3://code/%2e%2e/x.py', 's3://code/a.py,http://evil/x.py', 's3://code', 's3:/code/x.py', 'hdfs:x.py'],
  ...['s3://code@evil/x.py', 's3://code:x@evil/x.py', 'hdfs://name@evil:8020/x.py', 's3://co\u0435de/x.py', 's3://code/a/..;/x.py'],
  ...['jar:http://evil/x.jar', 'data:text/plain,x', 's3://code/a.py#b', 'viewfs://x/y.py', 's3n://code/x.py', 'gopher+x://evil/x.py'],
].map((application) => ({ application }));
/** Main classes that run what their arguments say. */
const FOREIGN_CLASSES = [
  'org.apache.spark.deploy.PythonRunner',
  'org.apache.spark.sql.hive.thriftserver.SparkSQLCLIDriver',
  'java.lang.Runtime',
];
/** Options with which Java runs programs, loads code or reads more options. */
const JAVA = [
  ...[
    '-XX:OnOutOfMemoryError=touch /tmp/x',
    '-XX:OnError=sh',
    '-XX:+UseG1GC -XX:OnError=sh',
    '-XX:Flags=/tmp/x',
    '-XX:VMOptionsFile=/tmp/x',
  ],
  ...[
    '-javaagent:/tmp/x.jar',
    '-agentlib:jdwp=transport=dt_socket,server=y',
    '-agentpath:/tmp/x.so',
    '-Xbootclasspath/a:/tmp/x.jar',
    '@/tmp/x',
  ],
  ...[
    '-Dlog4j2.configurationFile=http://evil/x.xml',
    '-Dlog4j.configurationFile=x',
    '-Dspark.jars=http://evil/x.jar',
    '-Djava.library.path=/tmp',
  ],
  ...[
    '-Djava.system.class.loader=x',
    '-Dcom.sun.jndi.ldap.object.trustURLCodebase=true',
    '-Djdk.x=1',
    '-cp /tmp',
    '-jar x',
    '-XX:LogFile=/x',
  ],
  ...[
    "'-XX:OnError=sh'",
    '-Dx="a b"',
    '-XX:HeapDumpPath=/x',
    '-XX:CompileCommandFile=/x',
    '-Xlog:gc:file=/x',
    '${env:X}',
    '-XX:+UseG1GC\n-javaagent:x',
  ],
];
/** Properties that name code, files, servers or keys; a connection has to allow them. */
const CONF: readonly string[] = [
  ...[
    'spark.jars',
    'spark.jars.packages',
    'spark.jars.repositories',
    'spark.jars.ivySettings',
    'spark.submit.pyFiles',
    'spark.files',
    'spark.archives',
  ],
  ...['spark.driver.extraClassPath', 'spark.executor.extraClassPath', 'spark.driver.extraLibraryPath', 'spark.executorEnv.LD_PRELOAD'],
  ...[
    'spark.pyspark.python',
    'spark.pyspark.driver.python',
    'spark.r.command',
    'spark.plugins',
    'spark.extraListeners',
    'spark.sql.extensions',
  ],
  ...[
    'spark.sql.queryExecutionListeners',
    'spark.sql.catalog.x',
    'spark.sql.hive.metastore.jars',
    'spark.sql.warehouse.dir',
    'spark.serializer',
  ],
  ...[
    'spark.sql.parquet.output.committer.class',
    'spark.sql.sources.commitProtocolClass',
    'spark.shuffle.manager',
    'spark.closure.serializer',
  ],
  ...[
    'spark.hadoop.fs.s3.impl',
    'spark.hadoop.fs.s3a.endpoint',
    'spark.hadoop.fs.s3a.aws.credentials.provider',
    'spark.hadoop.fs.file.impl',
  ],
  ...[
    'spark.hadoop.hadoop.security.credential.provider.path',
    'spark.kubernetes.container.image',
    'spark.kubernetes.driver.podTemplateFile',
  ],
  ...[
    'spark.driver.host',
    'spark.driver.bindAddress',
    'spark.ui.enabled',
    'spark.eventLog.dir',
    'spark.local.dir',
    'spark.master',
    'spark.redaction.regex',
  ],
  ...[
    'spark.worker.resource.gpu.discoveryScript',
    'spark.executor.resource.gpu.discoveryScript',
    'spark.yarn.dist.files',
    'spark.authenticate',
  ],
];
const REFUSED_CONF: readonly JsonObject[] = [
  { 'spark.hadoop.fs.s3a.secret.key': 'x' },
  { 'spark.ssl.keyPassword': 'x' },
  { 'spark.sql.shuffle.partitions=1 --conf spark.jars': 'x' },
  { 'spark.driver.extraJavaOptions=-javaagent:x': 'y' },
  ...JAVA.flatMap((options) =>
    ['driver.extra', 'executor.extra', 'driver.default'].map((which) => ({ [`spark.${which}JavaOptions`]: options })),
  ),
];
/** What jobs are tuned with goes on. */
const TUNING: JsonObject = {
  'spark.sql.shuffle.partitions': 64,
  'spark.sql.adaptive.coalescePartitions.enabled': true,
  'spark.sql.sources.partitionOverwriteMode': 'dynamic',
  'spark.sql.parquet.compression.codec': 'zstd',
  'spark.executor.memoryOverhead': '1g',
  'spark.dynamicAllocation.maxExecutors': 20,
  'spark.network.timeout': '300s',
  'spark.driver.extraJavaOptions': '-XX:+UseG1GC -XX:TieredStopAtLevel=4 -Xss4m -Dapp.mode=fast',
};
const yamlOf = (params: JsonObject): string => `
dag_id: attack
tasks:
  - {name: extract, type: postgres_to_s3, source_table: a, s3_bucket: raw-data}
  - ${JSON.stringify({ name: 'a', type: 'spark_job', ...params })}
  - {name: load, type: s3_to_redshift, s3_bucket: done-data, redshift_table: a}
`;

describe('who can write YAML and run Spark', function () {
  this.timeout('1m');

  const run = (params: JsonObject, connection: JsonObject = {}): ReturnType<typeof failureOf> =>
    failureOf(
      runTask(sparkJob, {
        params,
        environment: {
          SLUICE_CONN_SPARK_DEFAULT: JSON.stringify({ type: 'spark', master: 'local[1]', spark_home: '/nowhere', ...connection }),
          SLUICE_CONN_AWS_DEFAULT: 'aws://k:s@/?endpoint_url=http://127.0.0.1:1',
        },
      }),
    );
  /** The last gate before Spark is looked for. */
  const passes = async (params: JsonObject, connection?: JsonObject): Promise<void> =>
    assert.match((await run(params, connection)).message, /'spark_home' of the Spark connection is \/nowhere|is not found|needs Java/);

  const refused: readonly JsonObject[] = [
    ...CODE_FROM_ELSEWHERE,
    ...FOREIGN_CLASSES.map((each) => ({ job_name: 'category_transformer', java_class: each })),
    ...REFUSED_CONF.map((conf) => ({ job_name: 'category_transformer', conf })),
  ];

  it('runs no code from elsewhere, no program of Java and no keys: a mistake of the file', () => {
    for (const params of refused) {
      assert.throws(() => planOf(yamlOf(params)), /'(application|java_class|conf)' cannot/, JSON.stringify(params));
    }
  });

  it('and the task refuses them too: in a plan from before, or as values of expressions', async () => {
    for (const params of refused) assert.equal((await run(params)).type, 'InvalidParameters', JSON.stringify(params));
  });

  it('sets no property that names code, files or servers unless the connection allows it', async () => {
    for (const property of CONF) {
      const params = { job_name: 'category_transformer', conf: { [property]: 'x' } };
      const error = await run(params);
      assert.deepEqual([error.type, error.nonRetryable], ['AccessDenied', true], property);
      assert.match(error.message, new RegExp(`does not allow 'conf' to set ${property}\\. .* in 'conf' of the connection\\.$`));
      await passes(params, { conf: ['spark.other', `${property.slice(0, -1)}*`] });
    }
  });

  it('sizes and tunes as before', async () => {
    const params = { job_name: 'category_transformer', conf: TUNING };
    planOf(yamlOf(params));
    await passes(params);
    for (const application of ['s3://code/x.py', 's3a://code/a/x.jar', 'hdfs:///jobs/x.py', 'hdfs://name:8020/jobs/x.py']) {
      planOf(yamlOf({ application }));
      await passes({ application });
    }
  });

  it('runs only the applications and packages that the connection names, where it names some', async () => {
    const connection = { applications: ['s3://code/team/*'], packages: ['org.postgresql:*'] };
    await passes({ application: 's3://code/team/x.py', packages: ['org.postgresql:postgresql:42.7.4'] }, connection);
    for (const params of [
      { application: 's3://code/other.py' },
      { application: 's3://other/x.py' },
      { job_name: 'category_transformer', packages: ['org.postgresql:postgresql:42.7.4', 'com.evil:x:1'] },
    ]) {
      assert.equal((await run(params, connection)).type, 'AccessDenied', JSON.stringify(params));
    }
    for (const applications of ['s3://code/*', ['s3://*/x'], [1], ['']]) {
      assert.throws(() => parseConnection('spark', JSON.stringify({ type: 'spark', master: 'yarn', applications })), ConnectionError);
    }
  });
});
