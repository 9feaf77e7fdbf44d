// `npm run test:mutations [-- <pattern of rules>]`: makes one fault at a time in a copy of the repository, and shows which unit test notices it.
import { distancesTo, findTestFiles } from '../../dev/launch/test-files.mjs';
import { CopiedTree } from '../support/copied-tree.ts';
import { type Mutation, MUTATIONS } from './mutations.ts';

const QUICK = { SLUICE_CHAOS: 'quick', AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true', TZ: 'UTC' };

/** The unit tests that import a module, the nearest first. Tests of the house look at the repository itself. */
function testsOf(tree: CopiedTree, file: string): string[] {
  const { unit } = findTestFiles(tree.root);
  const tests = unit.filter((test) => !test.startsWith('test/house/'));
  return [...distancesTo(tree.root, tests, file)].sort(([, a], [, b]) => a - b).map(([test]) => test);
}

/** @returns the first test that fails; undefined when all pass */
async function firstFailure(tree: CopiedTree, files: readonly string[]): Promise<string | undefined> {
  const { code, stdout, stderr } = await tree.mocha(files, ['--bail', '--reporter', 'dot'], QUICK);
  if (code === 0) return undefined;
  const [, title] = /^ {2}1\) ([^]+?):\n+ {5,6}\S/m.exec(stdout) ?? [];
  if (title === undefined) throw new Error(`mocha failed without a failing test:\n${stdout}\n${stderr}`);
  return title.replace(/\s*\n\s*/g, ' › ');
}

/** @returns the test that notices the fault */
async function noticedBy(tree: CopiedTree, { file, before, after }: Mutation): Promise<string | undefined> {
  const tests = testsOf(tree, file);
  await tree.edit(file, before, after);
  try {
    return await firstFailure(tree, tests);
  } finally {
    await tree.restore();
  }
}

const print = (line: string): void => void process.stdout.write(`${line}\n`);

const [, , pattern = ''] = process.argv;
const chosen = MUTATIONS.filter(({ rule }) => new RegExp(pattern).test(rule));
const tree = await CopiedTree.create();
try {
  const all = [...new Set(chosen.flatMap(({ file }) => testsOf(tree, file)))];
  const broken = await firstFailure(tree, all);
  if (broken !== undefined) throw new Error(`A unit test fails without a fault: ${broken}`);
  let missed = 0;
  for (const mutation of chosen) {
    const noticed = await noticedBy(tree, mutation);
    if (noticed === undefined) missed++;
    print(`${noticed === undefined ? '✘' : '✔'} ${mutation.rule} (${mutation.file})\n  ${noticed ?? 'no unit test notices it'}`);
  }
  print(`${chosen.length - missed} of ${chosen.length} noticed`);
  process.exitCode = missed === 0 && chosen.length > 0 ? 0 : 1;
} finally {
  await tree.remove();
}
