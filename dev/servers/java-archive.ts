import { join } from 'node:path';
import { findProgram } from '../../lib/find-program.ts';
import { type CacheEntry, findCached } from './cache.ts';
import { findJava, type Java } from './java.ts';
import type { PartContext, Tool } from './parts/part.ts';
import { runTool } from './run-tool.ts';
import { ToolMissing } from './tool-missing.ts';
import { versions } from './versions.ts';

/** Programs for the same Java as Kafka, from archives (.tar.gz) that Maven fetches. */

const suitableJava = (environment: NodeJS.ProcessEnv): Promise<Java | undefined> =>
  findJava(environment, (major) => major >= versions.kafkaJavaAtLeast);

/** The program that was fetched into the cache; undefined if it or a Java for it is missing. */
export async function findJavaArchive({ environment }: PartContext, cache: CacheEntry): Promise<Tool | undefined> {
  const java = await suitableJava(environment);
  const folder = findCached(environment, cache);
  return java === undefined || folder === undefined ? undefined : javaTool(java, folder);
}

/** One line on what the machine lacks to fetch or run it, or undefined. */
export async function lackingForJavaArchive({ environment }: PartContext, cache: CacheEntry): Promise<string | undefined> {
  const missing = [
    ...((await suitableJava(environment)) === undefined ? [`Java ${versions.kafkaJavaAtLeast} or later`] : []),
    ...['mvn', 'tar'].filter((program) => findProgram(program, environment) === undefined && findCached(environment, cache) === undefined),
  ];
  return missing.length === 0 ? undefined : `it needs ${missing.join(' and ')}: install them`;
}

/** The Java with which it is fetched and run. @throws ToolMissing with what the machine lacks */
export async function javaForArchive(context: PartContext, cache: CacheEntry): Promise<Java> {
  const line = await lackingForJavaArchive(context, cache);
  const java = await suitableJava(context.environment);
  if (line !== undefined || java === undefined) throw new ToolMissing(line ?? 'Java is gone');
  return java;
}

/** Java with the folder of a fetched program. */
export function javaTool({ home }: Java, folder: string): Tool {
  return { executable: join(home, 'bin/java'), origin: 'cache', paths: { folder, javaHome: home } };
}

/** Unpacks a .tar.gz file into a folder, which has to exist. */
export async function unpack(archive: string, folder: string, environment: NodeJS.ProcessEnv): Promise<void> {
  await runTool(findProgram('tar', environment) ?? 'tar', ['-xzf', archive, '-C', folder], { environment });
}
