import { access, readdir, readFile, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { Command, Option } from 'commander';
import { ROOT } from '../../lib/environment.ts';
import { CommandError, PIPELINES, say } from '../command-context.ts';

/** A file a template: what people begin with most. */
const TEMPLATES = join(ROOT, 'cli', 'templates');
const NAMES = ['etl', 'reconcile', 'retrain'];

/** `sluice init`: a new pipeline from a template. */
export const command = new Command('init')
  .description('Begin a pipeline from a template: a draft with blanks, which no scheduler applies before they are filled.')
  .argument('<dag_id>', 'its name: small letters, digits and _')
  .addOption(new Option('-t, --template <name>', 'what it is to be').choices(NAMES).default('etl'))
  .option('--to <folder>', 'where to put it', PIPELINES)
  .addHelpText('after', '\nExample:\n  sluice init daily_orders --template etl')
  .action(async (dagId: string, { template, to }: { template: string; to: string }) => {
    if (!/^[a-z][a-z0-9_]{0,127}$/.test(dagId)) {
      throw new CommandError(`'${dagId}' cannot be a dag_id: small letters, digits and _, beginning with a letter, such as daily_orders.`);
    }
    await access(to).catch(() => {
      throw new CommandError(`There is no folder '${to}'.`);
    });
    const file = join(to, `${dagId}.yaml`);
    if ((await readdir(to)).includes(`${dagId}.yaml`))
      throw new CommandError(`${relative(process.cwd(), file)} exists already; it is left as it is.`);
    const text = await readFile(join(TEMPLATES, `${template}.yaml`), 'utf8');
    await writeFile(file, text.replace(/^dag_id: .*$/m, `dag_id: ${dagId}`), { flag: 'wx' });
    const shown = relative(process.cwd(), file);
    say(`Wrote ${shown}. Fill in its blanks; \`sluice validate ${shown}\` lists them. It is not applied before that.`);
  });
