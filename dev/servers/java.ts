import { readFileSync, readdirSync, realpathSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { findPrograms, isExecutable } from '../../lib/find-program.ts';
import { askTool } from './run-tool.ts';

export interface Java {
  readonly home: string;
  /** 17, 21, 25 … */
  readonly major: number;
}

/** Finds the first Java that `suits`: in JAVA_HOME, on PATH, then in the usual folders of systems and SDKMAN. */
export async function findJava(environment: NodeJS.ProcessEnv, suits: (major: number) => boolean): Promise<Java | undefined> {
  const seen = new Set<string>();
  for (const candidate of candidates(environment)) {
    const home = realHome(candidate);
    if (home === undefined || seen.has(home)) continue;
    seen.add(home);
    const major = await majorOf(home);
    if (major !== undefined && suits(major)) return { home, major };
  }
  return undefined;
}

function candidates(environment: NodeJS.ProcessEnv): string[] {
  const home = environment['HOME'] ?? homedir();
  return [
    ...(environment['JAVA_HOME'] ? [environment['JAVA_HOME']] : []),
    // The macOS shim /usr/bin/java has no Java home; `majorOf` filters it out.
    ...findPrograms('java', environment).map((path) => dirname(dirname(realpathSync(path)))),
    ...under('/usr/lib/jvm'),
    ...under('/usr/java'),
    ...under(join(home, '.sdkman/candidates/java')),
    ...under('/Library/Java/JavaVirtualMachines').map((folder) => join(folder, 'Contents/Home')),
    ...under('/opt/homebrew/opt').filter((folder) => folder.includes('openjdk')),
  ];
}

function under(folder: string): string[] {
  try {
    return readdirSync(folder)
      .sort()
      .map((name) => join(folder, name));
  } catch {
    return [];
  }
}

function realHome(folder: string): string | undefined {
  try {
    return isExecutable(join(folder, 'bin/java')) ? realpathSync(folder) : undefined;
  } catch {
    return undefined;
  }
}

/** The `release` file of a Java contains its version; starting the program takes much longer. */
async function majorOf(home: string): Promise<number | undefined> {
  let version: string | undefined;
  try {
    version = /^JAVA_VERSION="([^"]+)"/m.exec(readFileSync(join(home, 'release'), 'utf8'))?.[1];
  } catch {
    const properties = await askTool(join(home, 'bin/java'), ['--version']);
    version = properties === undefined ? undefined : /\b(\d+(?:\.\d+)*)/.exec(properties)?.[1];
  }
  const [first, second] = (version ?? '').split('.').map(Number);
  if (first === undefined || Number.isNaN(first)) return undefined;
  return first === 1 ? second : first; // 1.8 is Java 8
}
