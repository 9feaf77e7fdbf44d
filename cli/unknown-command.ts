import type { Command } from 'commander';
import { nearest } from '../activities/support/nearest.ts';
import { CommandError } from './command-context.ts';

/** Words of other tools, whose closest command by spelling does something else. */
const OTHER_WORDS: Readonly<Record<string, string>> = { unpause: 'resume', trigger: 'run' };

/**
 * Makes a command, and each below it, refuse a subcommand that does not exist, with the one that was likely meant. The library's own
 * suggestions can do the opposite (`skip` for `unskip`), and a command that can also be called without a subcommand has none.
 */
export function refuseUnknownCommands(command: Command): void {
  if (command.commands.length === 0) return;
  const refuse = ([given]: readonly string[]): void => {
    if (given !== undefined) throw new CommandError(unknownCommand(command, given));
  };
  command.on('command:*', refuse);
  // A command that also does something without a subcommand, such as `sensors`.
  if (command.registeredArguments.length === 0)
    command.allowExcessArguments().hook('preAction', (_, called) => (called === command ? refuse(command.args) : undefined));
  command.commands.forEach(refuseUnknownCommands);
}

function unknownCommand(command: Command, given: string): string {
  const names = command.commands.map((each) => each.name());
  const near = names.includes(OTHER_WORDS[given] ?? '')
    ? OTHER_WORDS[given]
    : nearest(
        given,
        names.filter((name) => !isOpposite(given, name)),
      )[0];
  const path = [command.parent?.name(), command.name()].filter((name) => name !== undefined).join(' ');
  const rest = near === undefined ? `\`${path} --help\` lists all commands.` : `Did you mean \`${path} ${near}\`?`;
  return `Unknown command '${given}'. ${rest}`;
}

/** Whether a word denies another: `unskip`, `deactivate`. */
function isOpposite(given: string, name: string): boolean {
  return given !== name && given.endsWith(name);
}
