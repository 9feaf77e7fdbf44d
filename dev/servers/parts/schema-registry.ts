import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { answers } from '../answers.ts';
import { cached } from '../cache.ts';
import { findJavaArchive, javaForArchive, javaTool, lackingForJavaArchive, unpack } from '../java-archive.ts';
import { type Artifact, copyJars } from '../maven.ts';
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
  find: (context) => findJavaArchive(context, CACHE),
  lacking: (context) => lackingForJavaArchive(context, CACHE),
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

async function fetchRegistry(context: PartContext, report: Report): Promise<Tool> {
  const { environment } = context;
  const java = await javaForArchive(context, CACHE);
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
    await unpack(archive, partial, environment);
    await Promise.all([archive, parents].map((each) => rm(each, { recursive: true })));
  });
  return javaTool(java, folder);
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
