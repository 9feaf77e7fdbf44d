import { Command, InvalidArgumentError, Option } from 'commander';
import { stackHome } from '../lib/environment.ts';
import { createProgress } from '../lib/progress.ts';
import { endWithReader, writeError, writeOutput } from '../lib/terminal.ts';
import {
  cleanStack,
  type PartName,
  partNames,
  type PartStatus,
  StackBusy,
  StackFailed,
  stackStatus,
  startStack,
  stopStack,
} from './stack.ts';

const HELP = `
Parts: ${partNames.join(', ')}. Each is used from the environment when its variable is set (TEMPORAL_ADDRESS, SLUICE_CONN_…),
else found on PATH, else fetched into ~/.cache/sluice. Data, logs and ports are in .sluice/ of the project.

Examples:
  sluice stack start                 the usual parts: not those that only who needs them starts
  sluice stack start postgres s3     only these
  sluice stack status -o json
  sluice stack stop kafka
  sluice stack clean                 stop all and delete their data

stdout is data, stderr is progress. Exit codes: 0 ok, 1 a part failed or is missing.`;

const home = stackHome();
const output = () => new Option('-o, --output <format>', 'how to print').choices(['text', 'json']).default('text');

function partArgument(value: string, before: PartName[] = []): PartName[] {
  const name = partNames.find((known) => known === value);
  if (name === undefined) throw new InvalidArgumentError(`The parts are ${partNames.join(', ')}.`);
  return [...before, name];
}

function print(parts: readonly PartStatus[], format: string): void {
  if (format === 'json') return writeOutput(`${JSON.stringify(parts, null, 2)}\n`);
  const rows = parts.map((part) => [
    part.name,
    part.state,
    part.address ?? '',
    part.pid === undefined ? '' : String(part.pid),
    part.detail,
  ]);
  const table = [['PART', 'STATE', 'ADDRESS', 'PID', 'DETAIL'], ...rows];
  const widths = [0, 1, 2, 3].map((column) => Math.max(...table.map((row) => row[column]?.length ?? 0)));
  for (const row of table)
    writeOutput(
      `${row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd()}\n`,
    );
}

const program = new Command('sluice stack')
  .usage('start|status|stop|clean [options]')
  .description('The local stack: real servers to develop and test with.')
  .addHelpText('after', HELP)
  .showHelpAfterError('(sluice stack --help lists the commands and options)');

program
  .command('start')
  .argument('[parts...]', 'the parts to start; default: the usual ones', partArgument)
  .addOption(output())
  .description('start what does not run yet, fetching what is not there')
  .action(async (parts: PartName[] | undefined, options: { output: string }) => {
    const stack = await startStack({ home, progress: createProgress(), ...(parts?.length ? { parts } : {}) });
    print(stack.parts, options.output);
    if (stack.parts.some((part) => part.state === 'missing')) process.exitCode = 1;
  });

program
  .command('status')
  .addOption(output())
  .description('say how each part is; starts nothing')
  .action(async (options: { output: string }) => print(await stackStatus(home), options.output));

program
  .command('stop')
  .argument('[parts...]', 'the parts to stop; default: all', partArgument)
  .description('stop the servers of this project; their data stays')
  .action(async (parts: PartName[] | undefined) => {
    const step = createProgress().step('Stopping');
    const stopped = await stopStack(home, parts?.length ? parts : undefined);
    step.done(stopped.length === 0 ? 'nothing was running' : stopped.join(', '));
  });

program
  .command('clean')
  .description('stop the servers of this project and delete their data; fetched programs stay in the cache')
  .action(async () => {
    const step = createProgress().step('Cleaning');
    await cleanStack(home);
    step.done(`deleted the data under ${home}`);
  });

endWithReader();
try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof StackFailed || error instanceof StackBusy)) throw error;
  writeError(`\n${error.message}\n`);
  process.exitCode = 1;
}
