import { Command } from 'commander';
import { EXIT } from '../lib/exit-code.ts';
import { compilePaths, formatMistakes, outputOption, type OutputOptions, PIPELINES, print, say } from './command-context.ts';

/** `sluice validate`: all mistakes of all files, without any server. */
export const command = new Command('validate')
  .description('Check pipeline files: every mistake with its place, without any server.')
  .argument('[paths...]', 'files and folders', [PIPELINES])
  .addOption(outputOption())
  .addHelpText('after', '\nExample:\n  sluice validate pipelines/sales.yaml\n\nExit codes: 0 all good, 3 mistakes found.')
  .action(async (paths: string[], options: OutputOptions) => {
    const compilations = await compilePaths(paths);
    const bad = compilations.filter(({ plan }) => !plan);
    print(
      options,
      compilations.map(({ file, plan, diagnostics }) => ({ file, dag_id: plan?.dagId ?? null, diagnostics })),
      formatMistakes(bad),
    );
    const mistakes = bad.reduce((sum, { diagnostics }) => sum + diagnostics.length, 0);
    say(
      bad.length === 0
        ? `${compilations.length} of ${compilations.length} files are good.`
        : `${mistakes} mistake${mistakes === 1 ? '' : 's'} in ${bad.length} of ${compilations.length} files.`,
    );
    if (bad.length > 0) process.exitCode = EXIT.invalidPipeline;
  });
