import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { Command } from 'commander';
import { PACKAGE } from '../../lib/roots.ts';

/** `sluice stack`: delegates to the command of the local stack in dev/. */
export const command = new Command('stack')
  .description('The local stack of real servers: start, status, stop, clean.')
  .argument('[args...]')
  .allowUnknownOption()
  .helpOption(false)
  .action(async (_args: string[], _options: unknown, command: Command) => {
    const child = spawn(process.execPath, ['--import', 'tsx', join(PACKAGE, 'dev', 'stack-cli.ts'), ...command.args], { stdio: 'inherit' });
    process.exitCode = await new Promise<number>((resolve, reject) =>
      child.once('error', reject).once('close', (code) => resolve(code ?? 1)),
    );
  });
