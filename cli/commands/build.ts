import { Command } from 'commander';
import { DEFINITION_KINDS, kindTitle } from '../../project/check-definition.ts';
import { currentProject, say } from '../command-context.ts';

/** `sluice build`: compiles the definitions of the project. */
export const command = new Command('build')
  .description('Compile the definitions of the project ahead: later processes only read them, and start faster. For images.')
  .addHelpText('after', '\nExample, in a Dockerfile:\n  RUN node_modules/.bin/sluice build')
  .action(() => {
    // Loading the project has compiled its files.
    const { origins } = currentProject();
    const own = DEFINITION_KINDS.flatMap((kind) => [...origins[kind]].map(([name, origin]) => `${kindTitle(kind)} ${name} (${origin})`));
    say(own.length === 0 ? 'The project has only built-in definitions: there is nothing to compile.' : `Compiled:\n${own.join('\n')}`);
  });
