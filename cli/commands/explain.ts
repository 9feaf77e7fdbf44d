import { Command } from 'commander';
import { CODES, type Code } from '../../compiler/mistakes/codes.ts';
import { CommandError, print } from '../command-context.ts';

/** `sluice explain`: explains a diagnostic code. */
export const command = new Command('explain')
  .description('Explain the code of a mistake.')
  .argument('[code]', 'such as SL201; default: all codes')
  .addHelpText('after', '\nExample:\n  sluice explain SL303')
  .action((code: string | undefined) => {
    const text =
      code === undefined
        ? Object.entries(CODES)
            .map(([each, meaning]) => `${each}  ${meaning}`)
            .join('\n')
        : CODES[code.toUpperCase() as Code];
    if (text === undefined) throw new CommandError(`Unknown code '${code}'. \`sluice explain\` lists all codes.`);
    print({ output: 'text' }, undefined, text);
  });
