import { findProgram } from '../lib/find-program.ts';
import type { Report } from './parts/part.ts';
import { runTool } from './run-tool.ts';

/** Builds a Go program at a pinned version into the folder, telling how far it is. */
export async function goInstall(
  environment: NodeJS.ProcessEnv,
  what: string,
  folder: string,
  usual: string,
  report: Report,
): Promise<void> {
  const go = findProgram('go', environment);
  if (go === undefined) throw new Error('go is not on PATH');
  report(`building it with Go; ${usual} the first time`);
  let modules = 0;
  let packages = 0;
  await runTool(go, ['install', '-v', what], {
    environment: { ...environment, GOBIN: folder, GOOS: undefined, GOARCH: undefined },
    workingFolder: folder, // not inside somebody's Go workspace
    onLine: (line) => {
      if (line.startsWith('go: downloading')) modules++;
      else packages++;
      report(`building it with Go; ${usual} the first time: ${modules} modules fetched, ${packages} packages compiled`);
    },
  });
}
