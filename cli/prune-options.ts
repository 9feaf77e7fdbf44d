import { type Command, InvalidArgumentError } from 'commander';

/** `--prune` and `--allow-delete`: what `sluice plan`, `sluice apply` and the scheduler may delete. */
export function pruneOptions(command: Command): Command {
  return command
    .option('--prune', 'delete pipelines of this project whose files are gone', false)
    .option('--allow-delete <n>', 'with --prune: how many may be deleted, where that is all or more than a fifth of them', parseCount);
}

function parseCount(text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new InvalidArgumentError('It must be a whole number from 1.');
  return Number(text);
}
