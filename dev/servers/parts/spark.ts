import { existsSync, readdirSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { cached, findCached } from '../cache.ts';
import { externalConnections } from '../external-connection.ts';
import { findProgram, findPrograms, isExecutable } from '../../../lib/find-program.ts';
import { findJava, type Java } from '../java.ts';
import { type Artifact, copyJars } from '../maven.ts';
import { findPython, makeVenv } from '../python.ts';
import { ToolMissing } from '../tool-missing.ts';
import { versions } from '../versions.ts';
import { type Part, type PartContext, type Report, type Tool } from './part.ts';

const VARIABLES = ['SLUICE_CONN_SPARK_DEFAULT'] as const;
const VENV_CACHE = { name: `pyspark-${versions.pyspark}-numpy-${versions.numpy}`, essential: 'bin/python' };
const JARS_CACHE = { name: `s3a-hadoop-${versions.hadoop}`, essential: `hadoop-aws-${versions.hadoop}.jar` };

/** Spark includes these in other versions. */
const OWN = ['org.slf4j:slf4j-api', 'commons-logging:commons-logging'];
const AWS = 'software.amazon.awssdk';
/** The dependencies of S3A, 18 MB; Hadoop itself depends on the whole AWS SDK, 686 MB. */
const S3A: readonly Artifact[] = [
  { group: 'org.apache.hadoop', artifact: 'hadoop-aws', version: versions.hadoop, exclusions: ['*:*'] },
  { group: AWS, artifact: 's3', version: versions.awsSdkJava, exclusions: OWN },
  { group: AWS, artifact: 's3-transfer-manager', version: versions.awsSdkJava, exclusions: OWN },
  { group: AWS, artifact: 'sts', version: versions.awsSdkJava, exclusions: OWN },
  {
    group: 'software.amazon.s3.analyticsaccelerator',
    artifact: 'analyticsaccelerator-s3',
    version: versions.analyticsAccelerator,
    exclusions: OWN,
  },
];

/** Apache Spark, not as a server: tasks run `spark-submit` of this Spark home, with these jars for S3. */
export const spark: Part = {
  name: 'spark',
  title: 'Spark',
  purpose: 'spark_job and train_model run on it',
  variables: VARIABLES,
  external: ({ environment }) => Promise.resolve(externalConnections(environment, VARIABLES)),
  find,
  lacking: async (context) => ((await find(context)) === undefined ? lacking(context) : undefined),
  fetch: fetchSpark,
  environment: (_, __, tool) => {
    if (tool === undefined) throw new TypeError('Spark has no environment without its program');
    const connection = {
      type: 'spark',
      master: 'local[*]',
      deploy_mode: 'client',
      spark_home: tool.executable,
      python: tool.paths['python'],
      ...(tool.paths['jars'] === undefined ? {} : { jars: tool.paths['jars'] }),
      java_home: tool.paths['javaHome'],
    };
    return Promise.resolve({ SLUICE_CONN_SPARK_DEFAULT: JSON.stringify(connection) });
  },
};

async function find(context: PartContext): Promise<Tool | undefined> {
  const java = await suitableJava(context);
  if (java === undefined) return undefined;
  return (await installedSpark(context, java)) ?? cachedSpark(context, java);
}

function suitableJava({ environment }: PartContext): Promise<Java | undefined> {
  return findJava(environment, (major) => (versions.sparkJava as readonly number[]).includes(major));
}

/**
 * Finds SPARK_HOME, or the home of the `spark-submit` on PATH, if it can access S3: with its own S3A, or with the Hadoop release of our
 * jars.
 */
async function installedSpark({ environment }: PartContext, java: Java): Promise<Tool | undefined> {
  const onPath = findPrograms('spark-submit', environment).map((script) => dirname(dirname(realpathSync(script))));
  for (const home of [...(environment['SPARK_HOME'] ? [environment['SPARK_HOME']] : []), ...onPath]) {
    if (!isExecutable(join(home, 'bin/spark-submit')) || !existsSync(join(home, 'jars'))) continue;
    const names = readdirSync(join(home, 'jars'));
    const own = names.some((name) => name.startsWith('hadoop-aws-'));
    const jars = names.includes(`hadoop-client-api-${versions.hadoop}.jar`) ? findCached(environment, JARS_CACHE) : undefined;
    const python = environment['PYSPARK_PYTHON'] ?? (await findPython(environment, versions.sparkPythonAtLeast));
    if (python === undefined || (!own && jars === undefined)) continue;
    return { executable: home, origin: 'PATH', paths: { python, javaHome: java.home, ...(own || jars === undefined ? {} : { jars }) } };
  }
  return undefined;
}

function cachedSpark({ environment }: PartContext, java: Java): Tool | undefined {
  const venv = findCached(environment, VENV_CACHE);
  const jars = findCached(environment, JARS_CACHE);
  if (venv === undefined || jars === undefined) return undefined;
  const python = join(venv, 'bin/python');
  const library = readdirSync(join(venv, 'lib')).find((name) => name.startsWith('python3'));
  if (library === undefined) return undefined;
  const home = join(venv, 'lib', library, 'site-packages/pyspark');
  return { executable: home, origin: 'cache', paths: { python, jars, javaHome: java.home } };
}

async function lacking(context: PartContext): Promise<string | undefined> {
  const { environment } = context;
  const missing = [
    ...((await suitableJava(context)) === undefined ? [`Java ${versions.sparkJava.join(' or ')}`] : []),
    ...((await findPython(environment, versions.sparkPythonAtLeast)) === undefined
      ? [`Python ${versions.sparkPythonAtLeast} or later with venv`]
      : []),
    ...(findProgram('mvn', environment) === undefined && findCached(environment, JARS_CACHE) === undefined ? ['Maven'] : []),
  ];
  if (missing.length === 0) return undefined;
  const how = 'apt install openjdk-17-jre-headless python3-venv maven, brew install openjdk@17 python maven';
  return `it needs ${missing.join(' and ')}: install them (${how})`;
}

async function fetchSpark(context: PartContext, report: Report): Promise<Tool> {
  const { environment } = context;
  const line = await lacking(context);
  const java = await suitableJava(context);
  const python = await findPython(environment, versions.sparkPythonAtLeast);
  if (line !== undefined || java === undefined || python === undefined) throw new ToolMissing(line ?? 'Java or Python is gone');
  report('fetching the jars for S3 with Maven; usually under a minute');
  await cached(environment, JARS_CACHE, report, (partial) => copyJars(environment, S3A, partial, java.home, JARS_CACHE.name, report));
  const installed = await installedSpark(context, java);
  if (installed !== undefined) return installed;
  report('fetching Spark with pip (about 500 MB); usually 1 to 3 minutes');
  await cached(environment, VENV_CACHE, report, (partial) => makeVenv(environment, python, partial, 'spark', report));
  const tool = cachedSpark(context, java);
  if (tool === undefined)
    throw new Error(`the Python environment ${VENV_CACHE.name} in the cache is broken: delete that folder and start again`);
  return tool;
}
