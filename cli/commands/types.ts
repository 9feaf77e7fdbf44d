import { Command } from 'commander';
import { stringify } from 'yaml';
import type { TaskType } from '../../activities/define-task.ts';
import { didYouMean } from '../../compiler/mistakes/diagnostic.ts';
import { type Described, keysOf, outputOf, typeOf } from '../../compiler/schema/schema-keys.ts';
import { formatTable } from '../../lib/table.ts';
import { activityType } from '../../workflows/plan/tasks/activity-type.ts';
import { CommandError, currentProject, outputOption, type OutputOptions, print } from '../command-context.ts';

/** `sluice types`: lists the task types, or describes one. */
export const command = new Command('types')
  .description('List the task types, or describe one: its keys, its output and an example.')
  .argument('[type]', 'such as postgres_to_s3; default: all types')
  .addOption(outputOption())
  .addHelpText('after', '\nExamples:\n  sluice types\n  sluice types postgres_to_s3\n  sluice types sql -o json')
  .action((name: string | undefined, options: OutputOptions) => {
    if (name === undefined) return listTypes(options);
    const { tasks } = currentProject();
    const taskType = tasks.find(({ type }) => type === name);
    if (taskType === undefined) {
      const hint = didYouMean(
        name,
        tasks.map(({ type }) => type),
      );
      throw new CommandError(`Unknown task type '${name}'${hint === undefined ? '.' : `; ${hint}`} \`sluice types\` lists all types.`);
    }
    print(options, describe(taskType), describeText(taskType));
  });

/** The origin of a task type that ships with Sluice. */
const BUILT_IN = 'built in';

function listTypes(options: OutputOptions): void {
  const types = currentProject().tasks.map(({ type, description, version = 1, origin = BUILT_IN }) => ({
    type,
    description,
    version,
    origin,
  }));
  print(
    options,
    types,
    formatTable(
      ['TYPE', 'FROM', 'DESCRIPTION'],
      types.map(({ type, description, version, origin }) => [activityType({ type, typeVersion: version }), origin, description]),
    ),
  );
}

interface KeyDescription {
  readonly key: string;
  /** The values that it accepts. */
  readonly value: string;
  readonly isNeeded: boolean;
  readonly description: string;
  readonly default?: unknown;
}

function describe({ type, description, params, exactlyOneOf = [], result, example }: TaskType) {
  const keys = keysOf(params as Described).map(({ key, schema, isNeeded }): KeyDescription => {
    const value = plain(typeOf(schema));
    const preset = schema.default === undefined ? {} : { default: schema.default };
    return { key, value, isNeeded, description: plain(schema.description ?? ''), ...preset };
  });
  return { type, description: plain(description), keys, exactlyOneOf, output: plain(outputOf(result)), example };
}

function describeText(taskType: TaskType): string {
  const { type, description, keys, exactlyOneOf, output, example } = describe(taskType);
  const rows = keys.map(({ key, value, isNeeded, description: meaning, default: preset }) => [
    key,
    value,
    isNeeded ? 'yes' : '',
    preset === undefined ? meaning : `${meaning} Default: ${String(preset)}.`,
  ]);
  return [
    `${type}: ${description}`,
    stringify([example]).trimEnd(),
    ...(rows.length > 0 ? [formatTable(['KEY', 'VALUE', 'NEEDED', 'MEANING'], rows)] : []),
    ...exactlyOneOf.map((group) => `Exactly one of ${group.join(', ')} is needed.`),
    `Output: ${output}`,
  ].join('\n\n');
}

/** Removes the marks of Markdown. */
function plain(text: string): string {
  return text.replaceAll('`', '');
}
