import { findProgram } from '../../lib/find-program.ts';
import type { Report } from './parts/part.ts';
import { checkGoModule, type GoModule } from './pins.ts';
import { runTool } from './run-tool.ts';

/**
 * Builds a Go program of a pinned module into the folder, and reports progress.
 * @param program its folder within the module; '' for the module itself
 * @throws ChecksumMismatch
 */
export async function goInstall(
  environment: NodeJS.ProcessEnv,
  module: GoModule,
  program: string,
  folder: string,
  usual: string,
  report: Report,
): Promise<void> {
  const go = findProgram('go', environment);
  if (go === undefined) throw new Error('go is not on PATH');
  report(`building it with Go; ${usual} the first time`);
  let modules = 0;
  let packages = 0;
  // Run in `folder`, so that the user's Go workspace does not apply.
  const options = { environment: { ...environment, GOBIN: folder, GOOS: undefined, GOARCH: undefined }, workingFolder: folder };
  checkGoModule(module, await runTool(go, ['mod', 'download', '-json', module], options));
  await runTool(go, ['install', '-v', program === '' ? module : module.replace('@', `/${program}@`)], {
    ...options,
    onLine: (line) => {
      if (line.startsWith('go: downloading')) modules++;
      else packages++;
      report(`building it with Go; ${usual} the first time: ${modules} modules fetched, ${packages} packages compiled`);
    },
  });
}
