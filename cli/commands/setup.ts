import { Command } from 'commander';
import { writeOutput } from '../../lib/terminal.ts';
import { ensureSearchAttributes, missingSearchAttributes } from '../../temporal/search-attributes.ts';
import { say } from '../command-context.ts';
import { withClient } from '../with-client.ts';

/** Search attribute types as the `temporal` CLI names them. */
const TYPE_NAMES = { KEYWORD: 'Keyword', KEYWORD_LIST: 'KeywordList', DATETIME: 'Datetime' } as const;

/** `sluice setup`: prepares a Temporal namespace. */
export const command = new Command('setup')
  .description('Register the search attributes of Sluice in the Temporal namespace; `--print` prints the commands instead.')
  .option('--print', 'print the commands for an administrator, without changing anything', false)
  .addHelpText('after', '\nExample:\n  sluice setup --print')
  .action(async ({ print }: { print: boolean }) => {
    await withClient(async (client) => {
      const { namespace } = client.options;
      const missing = await missingSearchAttributes(client);
      if (missing.length === 0) return say(`Namespace '${namespace}' has all search attributes of Sluice.`);
      if (!print) {
        await ensureSearchAttributes(client);
        return say(`Registered in namespace '${namespace}': ${missing.map(({ name }) => name).join(', ')}.`);
      }
      for (const { name, type } of missing) {
        writeOutput(`temporal operator search-attribute create --namespace '${namespace}' --name ${name} --type ${TYPE_NAMES[type]}\n`);
      }
    });
  });
