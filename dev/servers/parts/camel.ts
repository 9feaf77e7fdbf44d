import { cached, findCached } from '../cache.ts';
import { externalConnections } from '../external-connection.ts';
import { findProgram } from '../../../lib/find-program.ts';
import { findJava, type Java } from '../java.ts';
import { type Artifact, copyJars } from '../maven.ts';
import { ToolMissing } from '../tool-missing.ts';
import { versions } from '../versions.ts';
import { type Part, type PartContext, type Report, type Tool } from './part.ts';

const VARIABLES = ['SLUICE_CONN_CAMEL_DEFAULT'] as const;
const CACHE = { name: `camel-${versions.camel}`, essential: `camel-main-${versions.camel}.jar` };
const JARS: readonly Artifact[] = [
  ...['main', 'yaml-dsl', 'file', 'direct', 'timer', 'log', 'bean'].map((name) => ({
    group: 'org.apache.camel',
    artifact: `camel-${name}`,
    version: versions.camel,
  })),
  { group: 'org.slf4j', artifact: 'slf4j-simple', version: versions.slf4j },
];

/** Apache Camel, not as a server: tasks run Java with these jars. */
export const camel: Part = {
  name: 'camel',
  title: 'Camel',
  purpose: 'camel_route runs on it',
  variables: VARIABLES,
  external: ({ environment }) => Promise.resolve(externalConnections(environment, VARIABLES)),
  find,
  lacking: async (context) => ((await find(context)) === undefined ? lacking(context) : undefined),
  fetch: fetchCamel,
  environment: (_, __, tool) => {
    if (tool === undefined) throw new TypeError('Camel has no environment without its jars');
    const connection = { type: 'camel', jars: tool.executable, java_home: tool.paths['javaHome'] };
    return Promise.resolve({ SLUICE_CONN_CAMEL_DEFAULT: JSON.stringify(connection) });
  },
};

function suitableJava({ environment }: PartContext): Promise<Java | undefined> {
  return findJava(environment, (major) => major >= versions.camelJavaAtLeast);
}

async function find(context: PartContext): Promise<Tool | undefined> {
  const [java, folder] = [await suitableJava(context), findCached(context.environment, CACHE)];
  return java && folder !== undefined ? { executable: folder, origin: 'cache', paths: { javaHome: java.home } } : undefined;
}

async function lacking(context: PartContext): Promise<string | undefined> {
  const missing = [
    ...((await suitableJava(context)) === undefined ? [`Java ${versions.camelJavaAtLeast} or later`] : []),
    ...(findProgram('mvn', context.environment) === undefined && findCached(context.environment, CACHE) === undefined ? ['Maven'] : []),
  ];
  if (missing.length === 0) return undefined;
  return `it needs ${missing.join(' and ')}: install them (apt install openjdk-17-jre-headless maven, brew install openjdk@17 maven)`;
}

async function fetchCamel(context: PartContext, report: Report): Promise<Tool> {
  const [line, java] = [await lacking(context), await suitableJava(context)];
  if (line !== undefined || java === undefined) throw new ToolMissing(line ?? 'Java is gone');
  const { environment } = context;
  report('fetching the jars of Camel with Maven (8 MB); usually under a minute');
  const folder = await cached(environment, CACHE, report, (partial) => copyJars(environment, JARS, partial, java.home, CACHE.name, report));
  return { executable: folder, origin: 'cache', paths: { javaHome: java.home } };
}
