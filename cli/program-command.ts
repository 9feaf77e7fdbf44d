import { Command } from 'commander';
import { CommandError } from './command-context.ts';
import { PROGRAM_DESCRIPTIONS } from './program-descriptions.ts';

/** The entry of a program in the list of commands. It is called only with options before its name, which the program would not see. */
export function programCommand(name: keyof typeof PROGRAM_DESCRIPTIONS): Command {
  return new Command(name)
    .description(PROGRAM_DESCRIPTIONS[name])
    .argument('[args...]')
    .allowUnknownOption()
    .helpOption(false)
    .action(() => {
      throw new CommandError(`Write the options after the name of the program: sluice ${name} …`);
    });
}
