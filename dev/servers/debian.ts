import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { findProgram } from '../../lib/find-program.ts';
import type { Report } from './parts/part.ts';
import { runTool } from './run-tool.ts';

const PROGRAMS = ['apt-get', 'dpkg-deb'] as const;

/** What this machine lacks to unpack Debian packages, or undefined. */
export function debianLacking(environment: NodeJS.ProcessEnv): string | undefined {
  const missing = PROGRAMS.filter((program) => findProgram(program, environment) === undefined);
  return missing.length === 0 ? undefined : `${missing.join(' and ')}, so a Debian or Ubuntu`;
}

/**
 * Unpacks a Debian package and its missing dependencies below the folder, without installing them. Leaves apt's own files alone by fetching
 * separate package lists, with the machine's mirrors and keys.
 */
export async function unpackDebianPackage(environment: NodeJS.ProcessEnv, name: string, folder: string, report: Report): Promise<void> {
  const [aptGet, dpkgDeb] = PROGRAMS.map((program) => findProgram(program, environment) ?? program) as [string, string];
  const own = join(folder, 'apt');
  const options = [
    `Dir::State::Lists=${join(own, 'lists')}`,
    `Dir::Cache=${join(own, 'cache')}`,
    'Debug::NoLocking=1', // apt's own lock belongs to root
    'APT::Sandbox::User=root', // apt's sandbox user cannot access our folder
  ].flatMap((option) => ['-o', option]);
  await Promise.all(['lists/partial', 'cache/archives/partial'].map((each) => mkdir(join(own, each), { recursive: true })));
  report('reading the lists of Debian packages');
  await runTool(aptGet, ['-q', ...options, 'update'], { environment });
  report(`fetching ${name} and what it needs`);
  await runTool(aptGet, ['-q', '-y', ...options, '--no-install-recommends', '--download-only', 'install', name], { environment });
  const archives = join(own, 'cache/archives');
  for (const archive of (await readdir(archives)).filter((file) => file.endsWith('.deb'))) {
    await runTool(dpkgDeb, ['-x', join(archives, archive), folder], { environment });
  }
  await rm(own, { recursive: true });
}
