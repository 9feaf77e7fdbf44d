import { type Command, InvalidArgumentError, Option } from 'commander';
import { DURATION_HELP, parseDuration } from '../workflows/plan/values/duration.ts';

/** `--prune`, `--allow-delete` and `--adopt`: what `sluice plan`, `sluice apply` and the scheduler may delete and take over. */
export function pruneOptions(command: Command): Command {
  return command
    .option('--prune', 'delete pipelines and resources of this project that no file defines any more', false)
    .option('--adopt', 'take over resources that exist already and differ from their declaration', false)
    .option('--allow-delete <n>', 'with --prune: how many may be deleted, where that is all or more than a fifth of them', parseCount);
}

/** The parsed value of `--wait`: milliseconds, or false for `--no-wait`. */
export interface WaitOptions {
  readonly wait: number | false;
}

/**
 * `--wait` and `--no-wait`: how long to wait for workers that know the task types and triggers of changed pipelines.
 * @param byDefault a duration
 */
export function waitOption(command: Command, byDefault: string): Command {
  const wait = new Option('--wait <duration>', 'how long to wait for workers that know the task types and triggers of changed pipelines');
  return command
    .addOption(wait.argParser(parseWait).default(parseWait(byDefault), byDefault))
    .option('--no-wait', 'do not ask the workers');
}

function parseWait(text: string): number {
  const ms = parseDuration(text);
  if (ms === undefined) throw new InvalidArgumentError(`It must be ${DURATION_HELP}.`);
  return ms;
}

function parseCount(text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new InvalidArgumentError('It must be a whole number from 1.');
  return Number(text);
}
