import { readdirSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { accepts } from '../answers.ts';
import { cached, findCached } from '../cache.ts';
import { externalConnections } from '../external-connection.ts';
import { findProgram, findPrograms } from '../find-program.ts';
import { findJava } from '../java.ts';
import { prepareKafkaFolder } from '../kafka-folder.ts';
import { type Artifact, copyJars } from '../maven.ts';
import { ToolMissing } from '../tool-missing.ts';
import { atLeast, versions } from '../versions.ts';
import { type Part, type PartContext, portOf, type Report, type Tool } from './part.ts';

const VARIABLES = ['SLUICE_CONN_KAFKA_DEFAULT'] as const;
const CORE = `kafka_${versions.kafkaScala}`;
const CACHE = { name: `kafka-${versions.kafka}`, essential: `${CORE}-${versions.kafka}.jar` };
const ARTIFACTS: readonly Artifact[] = [
  { group: 'org.apache.kafka', artifact: CORE, version: versions.kafka },
  // Without it Kafka logs nothing, not even why it does not start.
  { group: 'org.apache.logging.log4j', artifact: 'log4j-slf4j-impl', version: versions.log4j },
];

/** Apache Kafka, one node without ZooKeeper. */
export const kafka: Part = {
  name: 'kafka',
  title: 'Kafka',
  purpose: 'sensors start runs from its messages',
  variables: VARIABLES,
  external: ({ environment }) => Promise.resolve(externalConnections(environment, VARIABLES)),
  find,
  lacking: async (context) => ((await find(context)) === undefined ? lacking(context) : undefined),
  fetch: fetchKafka,
  server: {
    ports: ['broker', 'controller'],
    stopSignal: 'SIGTERM',
    healthyWithinMs: 90_000,
    command: async (context, tool, ports, report) => {
      const jars = `${tool.paths['jars']}/*`;
      const { properties, logging } = await prepareKafkaFolder(context, tool.executable, jars, ports, report);
      const jvm = ['-Xms128m', '-Xmx512m', '-XX:+UseG1GC', '-XX:TieredStopAtLevel=4', '-Djava.awt.headless=true', '-Duser.timezone=UTC'];
      return {
        executable: tool.executable,
        args: [...jvm, `-Dlog4j2.configurationFile=${logging}`, '-cp', jars, 'kafka.Kafka', properties],
        environment: context.environment,
      };
    },
    healthy: async (_, ports) => (await accepts(portOf(ports, 'broker'))) && brokerAnswers(portOf(ports, 'broker')),
    address: (ports) => `127.0.0.1:${portOf(ports, 'broker')}`,
  },
  environment: (_, ports) => Promise.resolve({ SLUICE_CONN_KAFKA_DEFAULT: `kafka://127.0.0.1:${portOf(ports, 'broker')}` }),
};

async function find({ environment }: PartContext): Promise<Tool | undefined> {
  const java = await findJava(environment, (major) => major >= versions.kafkaJavaAtLeast);
  if (java === undefined) return undefined;
  const executable = join(java.home, 'bin/java');
  const installed = installedJars(environment);
  if (installed !== undefined) return { executable, origin: 'PATH', paths: { jars: installed, javaHome: java.home } };
  const jars = findCached(environment, CACHE);
  return jars === undefined ? undefined : { executable, origin: 'cache', paths: { jars, javaHome: java.home } };
}

/** The jars of a Kafka whose `bin` is on PATH. */
function installedJars(environment: NodeJS.ProcessEnv): string | undefined {
  for (const script of ['kafka-server-start.sh', 'kafka-server-start'].flatMap((name) => findPrograms(name, environment))) {
    const root = dirname(dirname(realpathSync(script)));
    for (const folder of [join(root, 'libs'), join(root, 'libexec/libs')]) {
      const version = filesIn(folder)
        .map((name) => /^kafka_2\.\d+-(\d+(?:\.\d+)*)\.jar$/.exec(name)?.[1])
        .find((found) => found !== undefined);
      if (version !== undefined && atLeast(version, versions.kafkaAtLeast)) return folder;
    }
  }
  return undefined;
}

function filesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

async function lacking({ environment }: PartContext): Promise<string | undefined> {
  const java = await findJava(environment, (major) => major >= versions.kafkaJavaAtLeast);
  const wanted = [
    ...(java === undefined ? [`Java ${versions.kafkaJavaAtLeast} or later`] : []),
    ...(findProgram('mvn', environment) === undefined && findCached(environment, CACHE) === undefined ? ['Maven'] : []),
  ];
  if (wanted.length === 0) return undefined;
  return `it needs ${wanted.join(' and ')}: install them (apt install openjdk-17-jre-headless maven, brew install openjdk@17 maven)`;
}

async function fetchKafka(context: PartContext, report: Report): Promise<Tool> {
  const { environment } = context;
  const line = await lacking(context);
  const java = await findJava(environment, (major) => major >= versions.kafkaJavaAtLeast);
  if (line !== undefined || java === undefined) throw new ToolMissing(line ?? 'Java is gone');
  report('fetching its jars with Maven; usually under a minute');
  const jars = await cached(environment, CACHE, report, (partial) => copyJars(environment, ARTIFACTS, partial, java.home, report));
  return { executable: join(java.home, 'bin/java'), origin: 'cache', paths: { jars, javaHome: java.home } };
}

/** A port that is open is not yet a broker that has joined its cluster. */
async function brokerAnswers(port: number): Promise<boolean> {
  const { Kafka, logLevel } = (await import('kafkajs')).default;
  const client = new Kafka({
    clientId: 'sluice-stack',
    brokers: [`127.0.0.1:${port}`],
    logLevel: logLevel.NOTHING,
    connectionTimeout: 2_000,
    requestTimeout: 2_000,
    retry: { retries: 0 },
  });
  const admin = client.admin();
  try {
    await admin.connect();
    return (await admin.describeCluster()).brokers.length > 0;
  } catch {
    return false;
  } finally {
    await admin.disconnect().catch(() => {});
  }
}
