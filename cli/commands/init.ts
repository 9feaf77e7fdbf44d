import { access, readdir, readFile, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { Command, Option } from 'commander';
import { ROOT } from '../../lib/environment.ts';
import { CommandError, PIPELINES, say } from '../command-context.ts';

/** One file for each template. */
const TEMPLATES = join(ROOT, 'cli', 'templates');
const NAMES = ['etl', 'reconcile', 'retrain'];

/** `sluice init`: creates a pipeline from a template. */
export const command = new Command('init')
  .description('Create a draft pipeline from a template. The scheduler does not apply it until its blanks are filled in.')
  .argument('<dag_id>', 'name of the pipeline: lowercase letters, digits and _')
  .addOption(new Option('-t, --template <name>', 'kind of pipeline').choices(NAMES).default('etl'))
  .option('--to <folder>', 'folder to create the file in', PIPELINES)
  .addHelpText('after', '\nExample:\n  sluice init daily_orders --template etl')
  .action(async (dagId: string, { template, to }: { template: string; to: string }) => {
    if (!/^[a-z][a-z0-9_]{0,127}$/.test(dagId)) {
      throw new CommandError(
        `'${dagId}' is not a valid dag_id. Use lowercase letters, digits and _, starting with a letter, such as daily_orders.`,
      );
    }
    await access(to).catch(() => {
      throw new CommandError(`Folder '${to}' does not exist.`);
    });
    const file = join(to, `${dagId}.yaml`);
    if ((await readdir(to)).includes(`${dagId}.yaml`))
      throw new CommandError(`${relative(process.cwd(), file)} already exists and was not overwritten.`);
    const text = await readFile(join(TEMPLATES, `${template}.yaml`), 'utf8');
    await writeFile(file, text.replace(/^dag_id: .*$/m, `dag_id: ${dagId}`), { flag: 'wx' });
    const shown = relative(process.cwd(), file);
    say(`Created ${shown}. Fill in its blanks; \`sluice validate ${shown}\` lists them. Until then, the scheduler does not apply it.`);
  });
