import { Command } from 'commander';
import { CATALOG } from '../activities/catalog.ts';
import { Compiler } from '../compiler/compile.ts';

/** `sluice schema`: the JSON Schema of pipeline files, for editors. */
export const command = new Command('schema')
  .description('Print the JSON Schema of pipeline files, for editors.')
  .addHelpText('after', '\nExample:\n  sluice schema > pipelines.schema.json')
  .action(() => {
    process.stdout.write(`${JSON.stringify(new Compiler(CATALOG).schema, null, 2)}\n`);
  });
