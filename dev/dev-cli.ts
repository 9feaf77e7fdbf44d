import { join } from 'node:path';
import { Command } from 'commander';
import { runState } from '../cli/view/run-view.ts';
import { PROGRAM_DESCRIPTIONS } from '../cli/program-descriptions.ts';
import { endProcess } from '../lib/callback-errors.ts';
import { loadEnvironment, stackHome } from '../lib/environment.ts';
import { createProgress } from '../lib/progress.ts';
import { formatTable } from '../lib/table.ts';
import { writeOutput } from '../lib/terminal.ts';
import { environmentOf, loadProject } from '../project/load-project.ts';
import { runsUrl } from '../temporal/web-ui.ts';
import { refusal } from '../workflows/plan/not-yet.ts';
import { hideEnvironment } from './launch/hide-environment.mjs';
import { neededParts } from './needed-parts.ts';
import { type Platform, runPlatform, say } from './platform.ts';
import { plansOf, resourcesOf, runNow } from './project-runs.ts';

// Programs that workers run could otherwise read the environment of this process.
hideEnvironment();

await new Command('sluice dev')
  .description(PROGRAM_DESCRIPTIONS.dev)
  .option('--once', 'run each pipeline once, and end with exit code 0 if all runs succeeded', false)
  .addHelpText(
    'after',
    `
Starts Temporal and the servers whose connections the pipelines use, a worker, monitors and a scheduler. They follow edits of
pipelines, task types, connection types, triggers and channels. Data and logs are in .sluice/ of the project; \`sluice stack
status\` shows what is running. Use other commands in a second terminal.`,
  )
  .action(main)
  .parseAsync()
  .catch(endProcess);

async function main({ once }: { once: boolean }): Promise<void> {
  const progress = createProgress();
  const home = stackHome();
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stop.abort());
  const project = await loadProject();
  const environment = environmentOf(project, loadEnvironment());
  const plans = await plansOf(project, environment);
  const resources = await resourcesOf(project, environment);
  const options = { project, home, progress, once, stop, parts: neededParts(project, plans, resources) };
  process.exitCode = await runPlatform(options, async (platform) => {
    if (once) return runAll(platform);
    const rows = [
      ['Pipelines', `${plans.length} in ${join(project.root, 'pipelines')}`],
      ['Runs in the UI', runsUrl(platform.environment, platform.client.options.namespace) ?? ''],
      ['Logs', join(home, 'logs')],
      ['Next', 'sluice run <dag_id> --wait'],
    ];
    writeOutput(`${formatTable(['WHAT', 'WHERE'], rows)}\n`);
    return true;
  });

  async function runAll(platform: Platform): Promise<boolean> {
    const states: string[] = [];
    for (const plan of plans) {
      if (stop.signal.aborted || refusal(plan) !== undefined) continue;
      const { end } = await runNow(plan, platform, progress, stop.signal);
      states.push(end.state);
      writeOutput(`${plan.dagId}: ${runState(end)}\n`);
    }
    if (states.length === 0) say('No pipeline was run: none is valid.');
    return states.length > 0 && states.every((state) => state === 'success');
  }
}
