import { Command, Option } from 'commander';
import { EXIT } from '../../lib/exit-code.ts';
import type { Diagnostic } from '../../compiler/mistakes/diagnostic.ts';
import { resourceTitle } from '../../resources/declared-resource.ts';
import {
  compileForEach,
  compileResourcesForEach,
  distinctDiagnostics,
  formatMistakes,
  print,
  PROJECT_FILES,
  say,
  splitPaths,
} from '../command-context.ts';

interface Options {
  readonly output: 'text' | 'json' | 'github';
}

/** `sluice validate`: reports all mistakes in all files, without servers. */
export const command = new Command('validate')
  .description(
    'Check pipeline and resource files and report every mistake with its location, without any server; for each environment, if none is chosen.',
  )
  .argument('[paths...]', 'files and folders', PROJECT_FILES)
  .addOption(
    new Option('-o, --output <format>', 'output format; github: annotations for pull requests')
      .choices(['text', 'json', 'github'])
      .default('text'),
  )
  .addHelpText('after', '\nExample:\n  sluice validate pipelines/sales.yaml\n\nExit codes: 0 no mistakes, 3 mistakes found.')
  .action(async (paths: string[], { output }: Options) => {
    const split = splitPaths(paths);
    const pipelines = await compileForEach(split.pipelines);
    const resources = await compileResourcesForEach(split.resources);
    const compilations = [...pipelines, ...resources];
    const bad = [...pipelines.filter(({ plan }) => !plan), ...resources.filter((each) => !each.resources)];
    const diagnostics = distinctDiagnostics(compilations);
    print(
      { output: output === 'json' ? 'json' : 'text' },
      [
        ...pipelines.map(({ file, plan, diagnostics }) => ({ file, dag_id: plan?.dagId ?? null, diagnostics })),
        ...resources.map(({ file, resources: valid, diagnostics }) => ({
          file,
          resources: valid?.map(resourceTitle) ?? null,
          diagnostics,
        })),
      ],
      output === 'github' ? diagnostics.map(annotation).join('\n') : formatMistakes(compilations),
    );
    const count = (severity: Diagnostic['severity'], word: string): string => {
      const number = diagnostics.filter((each) => each.severity === severity).length;
      return `${number} ${word}${number === 1 ? '' : 's'}`;
    };
    const warnings = diagnostics.some(({ severity }) => severity === 'warning') ? ` ${count('warning', 'warning')}.` : '';
    say(
      bad.length === 0
        ? `${compilations.length} of ${compilations.length} files are valid.${warnings}`
        : `${count('error', 'mistake')} in ${bad.length} of ${compilations.length} files.${warnings}`,
    );
    if (bad.length > 0) process.exitCode = EXIT.invalidPipeline;
  });

/** A workflow command of GitHub Actions: https://docs.github.com/actions/reference/workflow-commands-for-github-actions */
function annotation({ severity, file, line, column, length, code, message, hint }: Diagnostic): string {
  const data = (text: string): string => text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
  const property = (text: string): string => data(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
  const place = `file=${property(file)},line=${line},col=${column},endColumn=${column + length}`;
  return `::${severity} ${place},title=${code}::${data(message)}${hint === undefined ? '' : data(` ${hint}`)}`;
}
