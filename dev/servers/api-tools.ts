import { createHash } from 'node:crypto';
import { cp, mkdir, readdir, readFile, symlink } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { findProgram } from '../../lib/find-program.ts';
import { PACKAGE } from '../../lib/roots.ts';
import { cached } from './cache.ts';
import { goInstall } from './go-install.ts';
import type { Report } from './parts/part.ts';
import { runTool } from './run-tool.ts';
import { ToolMissing } from './tool-missing.ts';
import { versions } from './versions.ts';

/** An npm project with a lock file. */
const TOOLS = join(PACKAGE, 'examples', 'integrations', 'services', 'tools');

/**
 * Returns the folder with the programs that check a service before its release: `spectral`, `oasdiff` and `verify-contract` (Pact). Fetches
 * them the first time (150 MB on the disk).
 * @throws ToolMissing on a machine without npm or Go, ToolFailed when one of them fails
 */
export async function apiTools(environment: NodeJS.ProcessEnv, report: Report): Promise<string> {
  const name = `api-tools-${await fingerprint()}`;
  const folder = await cached(environment, { name, essential: 'bin/oasdiff' }, report, async (partial) => {
    const npm = findProgram('npm', environment);
    if (npm === undefined || findProgram('go', environment) === undefined) throw new ToolMissing('checks of services need npm and Go');
    report('fetching Spectral and Pact with npm; usually under half a minute');
    await cp(TOOLS, partial, { recursive: true, filter: (source) => basename(source) !== 'node_modules' });
    await runTool(npm, ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { environment, workingFolder: partial });
    const bin = join(partial, 'bin');
    await mkdir(bin);
    await symlink('../node_modules/.bin/spectral', join(bin, 'spectral'));
    await symlink('../verify-contract.mjs', join(bin, 'verify-contract'));
    const module = `github.com/oasdiff/oasdiff@v${versions.oasdiff}` as const;
    await goInstall(environment, module, '', bin, 'under a minute', report);
  });
  return join(folder, 'bin');
}

/** Changes with everything that the folder of tools is made from. */
async function fingerprint(): Promise<string> {
  const hash = createHash('sha256').update(versions.oasdiff);
  for (const file of (await readdir(TOOLS)).filter((each) => each !== 'node_modules').sort())
    hash.update(await readFile(join(TOOLS, file)));
  return hash.digest('hex').slice(0, 12);
}
