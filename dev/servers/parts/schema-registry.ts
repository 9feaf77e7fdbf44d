import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { answers } from '../answers.ts';
import { cached, findCached } from '../cache.ts';
import { findProgram } from '../../../lib/find-program.ts';
import { findJava } from '../java.ts';
import { type Artifact, copyJars } from '../maven.ts';
import { runTool } from '../run-tool.ts';
import { ToolMissing } from '../tool-missing.ts';
import { versions } from '../versions.ts';
import { type Part, type PartContext, portOf, type Report, type Tool } from './part.ts';

const JAR = `apicurio-registry-app-${versions.apicurio}-runner.jar`;
const CACHE = { name: `apicurio-registry-${versions.apicurio}`, essential: JAR };
const API = 'apis/ccompat/v7';

/** Apicurio, a Schema Registry with Confluent's API. Keeps schemas in memory. */
export const schemaRegistry: Part = {
  name: 'schema-registry',
  title: 'Schema Registry',
  purpose: 'sensors read Avro, Protobuf and JSON Schema with it',
  variables: ['SLUICE_SCHEMA_REGISTRY'],
  external: ({ environment: { SLUICE_SCHEMA_REGISTRY: address } }) =>
    Promise.resolve(address ? { address, detail: `SLUICE_SCHEMA_REGISTRY is ${address}` } : undefined),
  find,
  lacking: async (context) => ((await find(context)) === undefined ? lacking(context) : undefined),
  fetch: fetchRegistry,
  server: {
    ports: ['http'],
    stopSignal: 'SIGTERM',
    healthyWithinMs: 90_000,
    command: ({ environment }, tool, ports) =>
      Promise.resolve({
        executable: tool.executable,
        args: [
          '-Xmx384m',
          '-XX:TieredStopAtLevel=1',
          '-Dquarkus.http.host=127.0.0.1',
          `-Dquarkus.http.port=${portOf(ports, 'http')}`,
          '-Dquarkus.http.access-log.enabled=false',
          '-jar',
          join(tool.paths['folder'] ?? '', JAR),
        ],
        environment,
      }),
    healthy: (_, ports) => answers(`${addressOf(portOf(ports, 'http'))}/subjects`),
    address: (ports) => addressOf(portOf(ports, 'http')),
  },
  environment: (_, ports) => Promise.resolve({ SLUICE_SCHEMA_REGISTRY: addressOf(portOf(ports, 'http')) }),
};

function addressOf(port: number): string {
  return `http://127.0.0.1:${port}/${API}`;
}

async function find({ environment }: PartContext): Promise<Tool | undefined> {
  const java = await findJava(environment, (major) => major >= versions.kafkaJavaAtLeast);
  const folder = findCached(environment, CACHE);
  return java === undefined || folder === undefined
    ? undefined
    : { executable: join(java.home, 'bin/java'), origin: 'cache', paths: { folder, javaHome: java.home } };
}

async function lacking({ environment }: PartContext): Promise<string | undefined> {
  const java = await findJava(environment, (major) => major >= versions.kafkaJavaAtLeast);
  const missing = [
    ...(java === undefined ? [`Java ${versions.kafkaJavaAtLeast} or later`] : []),
    ...['mvn', 'tar'].filter((program) => findProgram(program, environment) === undefined && findCached(environment, CACHE) === undefined),
  ];
  return missing.length === 0 ? undefined : `it needs ${missing.join(' and ')}: install them`;
}

async function fetchRegistry(context: PartContext, report: Report): Promise<Tool> {
  const { environment } = context;
  const line = await lacking(context);
  const java = await findJava(environment, (major) => major >= versions.kafkaJavaAtLeast);
  if (line !== undefined || java === undefined) throw new ToolMissing(line ?? 'Java is gone');
  report('fetching it with Maven: 109 MB');
  const folder = await cached(environment, CACHE, report, async (partial) => {
    const artifact: Artifact = {
      group: 'io.apicurio',
      artifact: 'apicurio-registry-app',
      version: versions.apicurio,
      type: 'tar.gz',
      classifier: 'all',
      exclusions: ['*:*'],
    };
    const parents = join(partial, 'parents');
    await writeParent(parents);
    await copyJars(environment, [artifact], partial, java.home, CACHE.name, report, parents);
    const archive = join(partial, `apicurio-registry-app-${versions.apicurio}-all.tar.gz`);
    await runTool(findProgram('tar', environment) ?? 'tar', ['-xzf', archive, '-C', partial], { environment });
    await Promise.all([archive, parents].map((each) => rm(each, { recursive: true })));
  });
  return { executable: join(java.home, 'bin/java'), origin: 'cache', paths: { folder, javaHome: java.home } };
}

/** Some mirrors lack the parent of its POM, which is not needed: the archive contains all dependencies. */
async function writeParent(repository: string): Promise<void> {
  const folder = join(repository, 'io/apicurio/apicurio-registry', versions.apicurio);
  await mkdir(folder, { recursive: true });
  await writeFile(
    join(folder, `apicurio-registry-${versions.apicurio}.pom`),
    `<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion><groupId>io.apicurio</groupId>` +
      `<artifactId>apicurio-registry</artifactId><version>${versions.apicurio}</version><packaging>pom</packaging></project>\n`,
  );
}
