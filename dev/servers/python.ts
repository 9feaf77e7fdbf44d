import { findPrograms } from '../../lib/find-program.ts';
import { askTool, runTool } from './run-tool.ts';
import type { Report } from './parts/part.ts';
import { requirementsFile } from './pins.ts';
import { atLeast } from './versions.ts';

const NAMES = ['python3', 'python3.14', 'python3.13', 'python3.12', 'python3.11', 'python'];

/** Debian ships Python without `ensurepip`, without which it cannot make a virtual environment with pip in it. */
const QUESTION = 'import sys, venv, ensurepip; print("%d.%d" % sys.version_info[:2])';

/** The first Python on PATH that is recent enough and can make virtual environments. */
export async function findPython(environment: NodeJS.ProcessEnv, minimum: string): Promise<string | undefined> {
  for (const python of NAMES.flatMap((name) => findPrograms(name, environment))) {
    const version = await askTool(python, ['-c', QUESTION], { environment });
    if (version !== undefined && atLeast(version.trim(), minimum)) return python;
  }
  return undefined;
}

/**
 * Makes a virtual environment with the pinned packages of a part. It may be moved later as long as programs in it are run as `python -m …`: only the
 * first lines of its scripts hold the old place.
 */
export async function makeVenv(
  environment: NodeJS.ProcessEnv,
  python: string,
  folder: string,
  part: Parameters<typeof requirementsFile>[0],
  report: Report,
): Promise<void> {
  await runTool(python, ['-m', 'venv', folder], { environment });
  const pinned = ['--require-hashes', '-r', requirementsFile(part)];
  await runTool(`${folder}/bin/python`, ['-m', 'pip', 'install', '--no-input', '--progress-bar', 'off', ...pinned], {
    environment,
    onLine: (line) => {
      const text = line.trim().replace(/\s+from \S+$/, '');
      if (/^(Collecting|Downloading|Building|Installing|Using cached)/.test(text)) report(`pip: ${text.slice(0, 100)}`);
    },
  });
}
