import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Command, Option } from 'commander';
import { stringify } from 'yaml';
import { ROOT } from '../../lib/environment.ts';
import { RESOURCE_FOLDER } from '../../compiler/project-resources.ts';
import { RESOURCES } from '../../resources/catalog.ts';
import { CommandError, PIPELINES, say } from '../command-context.ts';
import { readTemplates, shown, writeFiles } from '../write-files.ts';

/** The templates of pipelines: cli/templates/pipelines/. */
const PIPELINE_TEMPLATES = ['etl', 'reconcile', 'retrain'];

/** The other kinds, with the folder of the project where their definitions are found. */
const DEFINITIONS = { task: 'tasks', connection: 'connections', trigger: 'triggers', channel: 'channels' } as const;

/** `sluice new`: creates one file of a project. */
export const command = new Command('new')
  .description('Create a pipeline, a resource, a task type, a connection type, a trigger type or a channel in this project.')
  .addHelpText(
    'after',
    '\nExamples:\n  sluice new pipeline daily_orders --template etl\n  sluice new task send_report\n  sluice new connection ftp',
  );

command
  .command('pipeline')
  .description('Create a draft pipeline from a template. It is not applied until its blanks are filled in.')
  .argument('<dag_id>', 'name of the pipeline: lowercase letters, digits and _')
  .addOption(new Option('-t, --template <name>', 'kind of pipeline').choices(PIPELINE_TEMPLATES).default('etl'))
  .option('--to <folder>', 'folder to create the file in', PIPELINES)
  .action(async (dagId: string, { template, to }: { template: string; to: string }) => {
    requireName(dagId, 'dag_id', 'daily_orders');
    const text = await readFile(join(ROOT, 'cli', 'templates', 'pipelines', `${template}.yaml`), 'utf8');
    await writeFiles(to, new Map([[`${dagId}.yaml`, text.replace(/^dag_id: .*$/m, `dag_id: ${dagId}`)]]));
    const file = shown(join(to, `${dagId}.yaml`));
    say(`Created ${file}. Fill in its blanks; \`sluice validate ${file}\` lists them. Until then, the scheduler does not apply it.`);
  });

command
  .command('resource')
  .description('Create a file in resources/ that declares a resource, such as a topic or a queue.')
  .argument('<name>', 'name of the file: lowercase letters, digits and _')
  .addOption(new Option('-t, --type <type>', 'type of the resource').choices(RESOURCES.map(({ type }) => type)).default(RESOURCES[0]?.type))
  .option('--to <folder>', 'folder to create the file in', join(dirname(PIPELINES), RESOURCE_FOLDER))
  .action(async (name: string, { type, to }: { type: string; to: string }) => {
    requireName(name, 'name', 'topics');
    const { example } = RESOURCES.find((each) => each.type === type) ?? {};
    await writeFiles(to, new Map([[`${name}.yaml`, stringify({ resources: [example] })]]));
    const file = shown(join(to, `${name}.yaml`));
    say(`Created ${file}, an example to change. \`sluice plan ${file}\` shows what \`sluice apply\` would create.`);
  });

for (const [kind, folder] of Object.entries(DEFINITIONS))
  command
    .command(kind)
    .description(
      `Create a file in ${folder}/ that defines a ${kind}${kind === 'channel' ? '' : ' type'}. It is found there; no list names it.`,
    )
    .argument('<name>', 'lowercase letters, digits and _')
    .option('--to <folder>', 'folder to create the file in', join(dirname(PIPELINES), folder))
    .action(async (name: string, { to }: { to: string }) => {
      requireName(name, 'name', 'send_report');
      const values = { name, Name: titleOf(name), scheme: name.replaceAll('_', '-') };
      const text = (await readTemplates('new', values)).get(`${kind}.ts`);
      if (text === undefined) throw new Error(`There is no template for a ${kind}.`);
      const file = `${name.replaceAll('_', '-')}.ts`;
      await writeFiles(to, new Map([[file, text]]));
      say(`Created ${shown(join(to, file))}, an example to change.`);
    });

function requireName(name: string, what: string, example: string): void {
  if (/^[a-z][a-z0-9_]{0,127}$/.test(name)) return;
  throw new CommandError(
    `'${name}' is not a valid ${what}. Use lowercase letters, digits and _, starting with a letter, such as ${example}.`,
  );
}

/** `send_report` → `SendReport`. */
function titleOf(name: string): string {
  return name.replace(/(?:^|_)([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}
