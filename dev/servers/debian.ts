import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { findProgram } from '../../lib/find-program.ts';
import type { Report } from './parts/part.ts';
import { runTool } from './run-tool.ts';

const PROGRAMS = ['apt-get', 'dpkg-deb'] as const;

/** What this machine lacks to unpack Debian's packages, or undefined. */
export function debianLacking(environment: NodeJS.ProcessEnv): string | undefined {
  const missing = PROGRAMS.filter((program) => findProgram(program, environment) === undefined);
  return missing.length === 0 ? undefined : `${missing.join(' and ')}, so a Debian or Ubuntu`;
}

/**
 * Unpacks a Debian package, and what it needs and the machine does not have, below the folder. Nothing is installed, and apt's own
 * files are left alone: its lists are fetched anew beside. The machine's own mirrors and keys hold.
 */
export async function unpackDebianPackage(environment: NodeJS.ProcessEnv, name: string, folder: string, report: Report): Promise<void> {
  const [aptGet, dpkgDeb] = PROGRAMS.map((program) => findProgram(program, environment) ?? program) as [string, string];
  const own = join(folder, 'apt');
  const options = [
    `Dir::State::Lists=${join(own, 'lists')}`,
    `Dir::Cache=${join(own, 'cache')}`,
    'Debug::NoLocking=1', // the lock of apt itself is root's
    'APT::Sandbox::User=root', // a folder of ours is not open to apt's own user
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
