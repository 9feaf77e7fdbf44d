import { readdir, stat } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { Command } from 'commander';
import { PipelinesNotFound } from '../../compiler/read/load-pipelines.ts';
import { EXIT } from '../../lib/exit-code.ts';
import {
  CommandError,
  compilePaths,
  currentProject,
  formatMistakes,
  outputOption,
  type OutputOptions,
  PIPELINES,
  print,
  say,
} from '../command-context.ts';
import { type CaseResult, runCase } from '../test/run-case.ts';
import { readRecorded, readTestFile } from '../test/test-file.ts';

/** `sluice test`: runs pipelines with declared or recorded task results, without servers. */
export const command = new Command('test')
  .description('Run pipelines against declared or recorded task results, in milliseconds and without any server.')
  .argument('[paths...]', 'test files (*.test.yaml) and folders', [PIPELINES])
  .addOption(outputOption())
  .addHelpText(
    'after',
    `
A test file, next to its pipeline:
  pipeline: product_category_etl.yaml
  cases:
    - name: nothing is loaded when the transformation fails
      tasks:
        transform_category_data: {fail: out of memory}
      expect:
        state: failed
        tasks: {load_category_data: upstream_failed}

Tasks that are not listed succeed, with a sample output of their type. \`recorded: run.json\` uses the results of a real run,
from \`sluice show <run> -o json\`. Exit codes: 0 all cases as expected, 1 at least one is not, 3 mistakes in a pipeline.`,
  )
  .action(async (paths: string[], options: OutputOptions) => {
    const files = (await Promise.all(paths.map(testFiles))).flat();
    if (files.length === 0)
      throw new CommandError(`No test files (*.test.yaml) found in ${paths.join(', ')}. \`sluice test --help\` shows an example.`);
    const results: (CaseResult & { readonly file: string; readonly pipeline: string })[] = [];
    let unread = 0;
    for (const path of files) {
      const file = relative(process.cwd(), path);
      const read = await readCases(path).catch((error: unknown) => {
        if (!(error instanceof CommandError || error instanceof PipelinesNotFound)) throw error;
        say(error.message);
        unread++;
      });
      for (const { testCase, recorded } of read?.cases ?? []) {
        if (read?.plan)
          results.push({ file, pipeline: read.plan.dagId, ...(await runCase(read.plan, testCase, recorded, currentProject().tasks)) });
      }
    }
    const failed = results.filter(({ mistakes }) => mistakes.length > 0);
    print(
      options,
      results.map(({ file, pipeline, name, mistakes, run }) => ({ file, pipeline, name, mistakes, run: run?.result })),
      results
        .flatMap((each, index) => [...(results[index - 1]?.file === each.file ? [] : [`${each.file}  (${each.pipeline})`]), lineOf(each)])
        .join('\n'),
    );
    say(`${results.length - failed.length} of ${results.length} cases are as expected.`);
    if (failed.length > 0 || unread > 0) process.exitCode = EXIT.failed;
  });

function lineOf({ name, mistakes }: CaseResult): string {
  return [`${mistakes.length === 0 ? '✔' : '✘'} ${name}`, ...mistakes.map((mistake) => `    ${mistake}`)].join('\n');
}

/** Reads the cases of a test file and the plan of its pipeline. The plan is absent if the pipeline has mistakes, which are reported. */
async function readCases(path: string) {
  const { pipeline, cases } = await readTestFile(path);
  const [compiled] = await compilePaths([join(dirname(path), pipeline)]);
  if (!compiled?.plan) {
    say(formatMistakes(compiled ? [compiled] : []));
    process.exitCode = EXIT.invalidPipeline;
  }
  const read = cases.map(async (testCase) => ({
    testCase,
    recorded: testCase.recorded === undefined ? {} : await readRecorded(path, testCase.recorded),
  }));
  return { plan: compiled?.plan, cases: await Promise.all(read) };
}

async function testFiles(path: string): Promise<string[]> {
  const found = await stat(path).catch(() => undefined);
  if (!found) throw new CommandError(`File or folder '${path}' does not exist.`);
  if (found.isFile()) return [path];
  const entries = await readdir(path, { withFileTypes: true, recursive: true });
  return entries
    .filter((entry) => entry.isFile() && /\.test\.ya?ml$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}
