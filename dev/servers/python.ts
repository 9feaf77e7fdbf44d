import { findPrograms } from '../../lib/find-program.ts';
import { askTool, runTool } from './run-tool.ts';
import type { Report } from './parts/part.ts';
import { requirementsFile } from './pins.ts';
import { atLeast } from './versions.ts';

const NAMES = ['python3', 'python3.14', 'python3.13', 'python3.12', 'python3.11', 'python'];

/** Debian ships Python without `ensurepip`, which is needed for a virtual environment with pip. */
const QUESTION = 'import sys, venv, ensurepip; print("%d.%d" % sys.version_info[:2])';

/** Finds the first recent Python on PATH that can create virtual environments. */
export async function findPython(environment: NodeJS.ProcessEnv, minimum: string): Promise<string | undefined> {
  for (const python of NAMES.flatMap((name) => findPrograms(name, environment))) {
    const version = await askTool(python, ['-c', QUESTION], { environment });
    if (version !== undefined && atLeast(version.trim(), minimum)) return python;
  }
  return undefined;
}

/**
 * Creates a virtual environment with the pinned packages of a part. It can be moved later if programs run as `python -m …`: only the
 * shebangs of its scripts contain the old path.
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
