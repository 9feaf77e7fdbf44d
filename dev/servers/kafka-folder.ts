import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LOG4J_TO_CONSOLE, propertiesText } from './java-settings.ts';
import { portOf, type Report } from './parts/part.ts';
import type { Ports } from './ports.ts';
import { runTool } from './run-tool.ts';

export interface KafkaFolder {
  readonly properties: string;
  readonly logging: string;
}

/** Writes Kafka's configuration for these ports into the folder, and formats new storage. */
export async function prepareKafkaFolder(
  folder: string,
  environment: NodeJS.ProcessEnv,
  java: string,
  classPath: string,
  ports: Ports,
  report: Report,
): Promise<KafkaFolder> {
  const storage = join(folder, 'storage');
  const properties = join(folder, 'server.properties');
  const logging = join(folder, 'log4j2.properties');
  await mkdir(folder, { recursive: true });
  await writeFile(logging, LOG4J_TO_CONSOLE);
  if (!existsSync(join(storage, 'meta.properties'))) {
    // Format in a separate folder and rename it, because a killed format leaves a partial one.
    report('formatting its storage');
    const partial = join(folder, 'storage.partial');
    await rm(partial, { recursive: true, force: true });
    await rm(storage, { recursive: true, force: true });
    const formatting = join(folder, 'format.properties');
    await writeFile(formatting, propertiesOf(partial, ports));
    const clusterId = randomBytes(16).toString('base64url').replace(/^-/, 'A'); // a leading dash would be an option
    const jvm = ['-Xmx256m', '-XX:TieredStopAtLevel=1', `-Dlog4j2.configurationFile=${logging}`, '-cp', classPath];
    await runTool(java, [...jvm, 'kafka.tools.StorageTool', 'format', '-t', clusterId, '-c', formatting], { environment });
    await rename(partial, storage);
  }
  await writeFile(properties, propertiesOf(storage, ports));
  return { properties, logging };
}

/** One node as broker and controller; internal topics have one replica. */
function propertiesOf(storage: string, ports: Ports): string {
  const broker = portOf(ports, 'broker');
  const controller = portOf(ports, 'controller');
  return propertiesText({
    'process.roles': 'broker,controller',
    'node.id': 1,
    'controller.quorum.voters': `1@127.0.0.1:${controller}`,
    'controller.listener.names': 'CONTROLLER',
    listeners: `PLAINTEXT://127.0.0.1:${broker},CONTROLLER://127.0.0.1:${controller}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${broker}`,
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'inter.broker.listener.name': 'PLAINTEXT',
    'log.dirs': storage,
    'num.partitions': 1,
    'default.replication.factor': 1,
    'min.insync.replicas': 1,
    'offsets.topic.replication.factor': 1,
    'offsets.topic.num.partitions': 8, // 50 take seconds to create
    'transaction.state.log.replication.factor': 1,
    'transaction.state.log.min.isr': 1,
    'transaction.state.log.num.partitions': 8,
    'share.coordinator.state.topic.replication.factor': 1,
    'share.coordinator.state.topic.min.isr': 1,
    'group.initial.rebalance.delay.ms': 0,
    // A killed broker counts as alive for this long, and its replacement must wait; the default is 9 s.
    'broker.session.timeout.ms': 3000,
    'broker.heartbeat.interval.ms': 500,
    // Retention uses record timestamps: those of tests and demo data are years old, so their records would be deleted before they are read.
    'log.retention.ms': -1,
    // Pause after a compaction without work; the default is 15 s.
    'log.cleaner.backoff.ms': 500,
  });
}
