import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { accepts, answers } from '../answers.ts';
import { cached } from '../cache.ts';
import { externalConnections } from '../external-connection.ts';
import { homePaths } from '../../home.ts';
import { findJavaArchive, javaForArchive, javaTool, lackingForJavaArchive, unpack } from '../java-archive.ts';
import { LOG4J_TO_CONSOLE, propertiesText } from '../java-settings.ts';
import { type Artifact, copyJars } from '../maven.ts';
import { rememberedPorts } from '../ports.ts';
import { secretOf } from '../secrets.ts';
import { ToolMissing } from '../tool-missing.ts';
import { versions } from '../versions.ts';
import { CDC_PASSWORD } from './mysql.ts';
import { type Part, type PartContext, portOf, type Report, type Tool } from './part.ts';

const VARIABLES = ['SLUICE_CONN_KAFKA_CONNECT_DEFAULT'] as const;
const PLUGIN = 'debezium-connector-mysql';
const CACHE = {
  name: `kafka-connect-${versions.kafka}-debezium-${versions.debezium}`,
  essential: `plugins/${PLUGIN}/${PLUGIN}-${versions.debezium}.jar`,
};
/** Kafka may still be fetched and formatted when this part starts. Milliseconds. */
const KAFKA_WITHIN_MS = 300_000;

/**
 * Kafka Connect with one worker and Debezium's connector for MySQL, beside the part `kafka`. Configurations of connectors read the
 * variables `CONNECT_…` below as `${env:CONNECT_MYSQL_PASSWORD}`, so that they contain no secret.
 */
export const kafkaConnect: Part = {
  name: 'kafka-connect',
  title: 'Kafka Connect',
  purpose: 'connectors copy changes of databases into topics',
  variables: VARIABLES,
  external: ({ environment }) => Promise.resolve(externalConnections(environment, VARIABLES)),
  find: (context) => findJavaArchive(context, CACHE),
  lacking: (context) => lackingForJavaArchive(context, CACHE),
  fetch: fetchConnect,
  server: {
    ports: ['http'],
    stopSignal: 'SIGTERM',
    healthyWithinMs: 120_000,
    command: async ({ home, environment }, tool, ports, report) => {
      const { folder = '' } = tool.paths;
      const broker = await kafkaAddress(home, report);
      const data = homePaths.data(home, 'kafka-connect');
      const [properties, logging] = [join(data, 'worker.properties'), join(data, 'log4j2.properties')];
      await mkdir(data, { recursive: true });
      await writeFile(properties, propertiesOf(broker, portOf(ports, 'http'), join(folder, 'plugins')));
      await writeFile(logging, LOG4J_TO_CONSOLE);
      const jvm = ['-Xms64m', '-Xmx384m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Djava.awt.headless=true', '-Duser.timezone=UTC'];
      return {
        executable: tool.executable,
        args: [
          ...jvm,
          `-Dlog4j2.configurationFile=${logging}`,
          ...['-cp', `${folder}/*`, 'org.apache.kafka.connect.cli.ConnectDistributed', properties],
        ],
        environment: { ...environment, CONNECT_KAFKA: broker, CONNECT_MYSQL_PASSWORD: await secretOf(home, CDC_PASSWORD) },
      };
    },
    // The port is open before the worker has joined its group; only then does it list connectors.
    healthy: (_, ports) => answers(`${addressOf(ports)}/connectors`),
    address: addressOf,
  },
  environment: (_, ports) => Promise.resolve({ [VARIABLES[0]]: `kafka-connect+${addressOf(ports)}` }),
};

function addressOf(ports: Parameters<typeof portOf>[0]): string {
  return `http://127.0.0.1:${portOf(ports, 'http')}`;
}

/** Waits for the part `kafka`, which starts at the same time. */
async function kafkaAddress(home: string, report: Report): Promise<string> {
  for (const until = Date.now() + KAFKA_WITHIN_MS; Date.now() < until; await delay(200)) {
    const port = (await rememberedPorts(home, 'kafka'))?.['broker'];
    if (port !== undefined && (await accepts(port))) return `127.0.0.1:${port}`;
    report('waiting for Kafka');
  }
  throw new ToolMissing(`it uses the part kafka, which does not run: start both, or set ${VARIABLES[0]} to a Kafka Connect of your own`);
}

/** One worker, whose topics have one replica. */
function propertiesOf(broker: string, port: number, plugins: string): string {
  return propertiesText({
    'bootstrap.servers': broker,
    'group.id': 'connect',
    listeners: `http://127.0.0.1:${port}`,
    'rest.advertised.host.name': '127.0.0.1',
    'plugin.path': plugins,
    'plugin.discovery': 'service_load', // much faster than to search all classes
    'key.converter': 'org.apache.kafka.connect.json.JsonConverter',
    'key.converter.schemas.enable': false,
    'value.converter': 'org.apache.kafka.connect.json.JsonConverter',
    'value.converter.schemas.enable': false,
    'config.storage.topic': 'connect-configs',
    'config.storage.replication.factor': 1,
    'offset.storage.topic': 'connect-offsets',
    'offset.storage.replication.factor': 1,
    'offset.storage.partitions': 1,
    'status.storage.topic': 'connect-status',
    'status.storage.replication.factor': 1,
    'status.storage.partitions': 1,
    // A killed worker repeats the changes since it last stored its position; the default is every 60 s.
    'offset.flush.interval.ms': 2000,
    // A killed worker counts as a member for this long; the tasks of a lost one are then assigned at once, not after 5 minutes.
    'session.timeout.ms': 6000,
    'heartbeat.interval.ms': 1500,
    'scheduled.rebalance.max.delay.ms': 0,
    'config.providers': 'env',
    'config.providers.env.class': 'org.apache.kafka.common.config.provider.EnvVarConfigProvider',
    'config.providers.env.param.allowlist.pattern': 'CONNECT_.*',
  });
}

async function fetchConnect(context: PartContext, report: Report): Promise<Tool> {
  const { environment } = context;
  const java = await javaForArchive(context, CACHE);
  report('fetching it with Maven: 65 MB');
  const artifacts: readonly Artifact[] = [
    { group: 'org.apache.kafka', artifact: 'connect-runtime', version: versions.kafka },
    { group: 'org.apache.logging.log4j', artifact: 'log4j-slf4j-impl', version: versions.log4j },
    // The archive contains its dependencies, which Connect loads apart from its own.
    { group: 'io.debezium', artifact: PLUGIN, version: versions.debezium, type: 'tar.gz', classifier: 'plugin', exclusions: ['*:*'] },
  ];
  const folder = await cached(environment, CACHE, report, async (partial) => {
    await copyJars(environment, artifacts, partial, java.home, CACHE.name, report);
    const archive = join(partial, `${PLUGIN}-${versions.debezium}-plugin.tar.gz`);
    const plugins = join(partial, 'plugins');
    await mkdir(plugins);
    await unpack(archive, plugins, environment);
    await rm(archive);
  });
  return javaTool(java, folder);
}
