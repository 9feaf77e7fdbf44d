import { readdirSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { accepts } from '../answers.ts';
import { cached, type CacheEntry, findCached } from '../cache.ts';
import { externalConnections } from '../external-connection.ts';
import { findProgram, findPrograms } from '../../../lib/find-program.ts';
import { homePaths } from '../../home.ts';
import { findJava } from '../java.ts';
import { prepareKafkaFolder } from '../kafka-folder.ts';
import { type Artifact, copyJars } from '../maven.ts';
import { ToolMissing } from '../tool-missing.ts';
import { atLeast, versions } from '../versions.ts';
import { type Part, type PartContext, type PartName, portOf, type Report, type Tool } from './part.ts';

/** A release of Kafka that the stack can run. */
interface Release {
  readonly name: Extract<PartName, 'kafka' | 'kafka-3.9'>;
  readonly title: string;
  readonly purpose: string;
  /** The variable with its address. */
  readonly variable: string;
  /** The version to fetch. */
  readonly version: string;
  /** Whether a Kafka on PATH with this version is used instead. */
  readonly serves: (version: string) => boolean;
}

export const kafka = partOf({
  name: 'kafka',
  title: 'Kafka',
  purpose: 'sensors start runs from its messages',
  variable: 'SLUICE_CONN_KAFKA_DEFAULT',
  version: versions.kafka,
  serves: (version) => atLeast(version, versions.kafkaAtLeast),
});

/** The last release before Kafka 4; many brokers still have its clients and protocol. */
export const kafka39 = partOf({
  name: 'kafka-3.9',
  title: 'Kafka 3.9',
  purpose: 'tests read from an older broker, too',
  variable: 'SLUICE_CONN_KAFKA_3_9',
  version: versions.kafka39,
  serves: (version) => version.startsWith('3.9.'),
});

/** Apache Kafka, one node without ZooKeeper. */
function partOf(release: Release): Part {
  const { name, title, purpose, variable } = release;
  return {
    name,
    title,
    purpose,
    variables: [variable],
    external: ({ environment }) => Promise.resolve(externalConnections(environment, [variable])),
    find: (context) => find(release, context),
    lacking: async (context) => ((await find(release, context)) === undefined ? lacking(release, context) : undefined),
    fetch: (context, report) => fetchKafka(release, context, report),
    server: {
      ports: ['broker', 'controller'],
      stopSignal: 'SIGTERM',
      healthyWithinMs: 90_000,
      command: async (context, tool, ports, report) => {
        const jars = `${tool.paths['jars']}/*`;
        const folder = homePaths.data(context.home, name);
        const { properties, logging } = await prepareKafkaFolder(folder, context.environment, tool.executable, jars, ports, report);
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
    environment: (_, ports) => Promise.resolve({ [variable]: `kafka://127.0.0.1:${portOf(ports, 'broker')}` }),
  };
}

const CORE = `kafka_${versions.kafkaScala}`;

function cacheOf({ version }: Release): CacheEntry {
  return { name: `kafka-${version}`, essential: `${CORE}-${version}.jar` };
}

async function find(release: Release, { environment }: PartContext): Promise<Tool | undefined> {
  const java = await findJava(environment, (major) => major >= versions.kafkaJavaAtLeast);
  if (java === undefined) return undefined;
  const executable = join(java.home, 'bin/java');
  const installed = installedJars(release, environment);
  if (installed !== undefined) return { executable, origin: 'PATH', paths: { jars: installed, javaHome: java.home } };
  const jars = findCached(environment, cacheOf(release));
  return jars === undefined ? undefined : { executable, origin: 'cache', paths: { jars, javaHome: java.home } };
}

/** The jars of a Kafka with its `bin` on PATH. */
function installedJars({ serves }: Release, environment: NodeJS.ProcessEnv): string | undefined {
  for (const script of ['kafka-server-start.sh', 'kafka-server-start'].flatMap((name) => findPrograms(name, environment))) {
    const root = dirname(dirname(realpathSync(script)));
    for (const folder of [join(root, 'libs'), join(root, 'libexec/libs')]) {
      const version = filesIn(folder)
        .map((name) => /^kafka_2\.\d+-(\d+(?:\.\d+)*)\.jar$/.exec(name)?.[1])
        .find((found) => found !== undefined);
      if (version !== undefined && serves(version)) return folder;
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

async function lacking(release: Release, { environment }: PartContext): Promise<string | undefined> {
  const java = await findJava(environment, (major) => major >= versions.kafkaJavaAtLeast);
  const missing = [
    ...(java === undefined ? [`Java ${versions.kafkaJavaAtLeast} or later`] : []),
    ...(findProgram('mvn', environment) === undefined && findCached(environment, cacheOf(release)) === undefined ? ['Maven'] : []),
  ];
  if (missing.length === 0) return undefined;
  return `it needs ${missing.join(' and ')}: install them (apt install openjdk-17-jre-headless maven, brew install openjdk@17 maven)`;
}

async function fetchKafka(release: Release, context: PartContext, report: Report): Promise<Tool> {
  const { environment } = context;
  const line = await lacking(release, context);
  const java = await findJava(environment, (major) => major >= versions.kafkaJavaAtLeast);
  if (line !== undefined || java === undefined) throw new ToolMissing(line ?? 'Java is gone');
  report('fetching its jars with Maven; usually under a minute');
  const artifacts: readonly Artifact[] = [
    { group: 'org.apache.kafka', artifact: CORE, version: release.version },
    // Without it Kafka logs nothing, not even startup errors.
    { group: 'org.apache.logging.log4j', artifact: 'log4j-slf4j-impl', version: versions.log4j },
  ];
  const jars = await cached(environment, cacheOf(release), report, (partial) =>
    copyJars(environment, artifacts, partial, java.home, cacheOf(release).name, report),
  );
  return { executable: join(java.home, 'bin/java'), origin: 'cache', paths: { jars, javaHome: java.home } };
}

/** An open port does not mean that the broker has joined its cluster. */
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
