import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'mocha';
import ts from 'typescript';
import { ROOT } from '../../lib/environment.ts';

/** Parts of names that standard terms replace. A name is split at capitals, digits, `-`, `_` and `.`. */
const NAMES: Readonly<Record<string, string>> = {
  tell: 'notify, report',
  told: 'notified, reported',
  teller: 'notifier',
  nobody: 'an error, missing',
  whoever: 'the role: caller, reader',
  anew: 'again, recreated',
  begun: 'started',
  look: 'check, poll',
  looked: 'checked',
  judge: 'match, decide',
  judged: 'matched',
  verdict: 'result',
  sift: 'filter, match',
  bury: 'dead-letter',
  buried: 'dead-lettered',
  standing: 'status',
  standings: 'statuses',
  promise: 'SLA',
  promises: 'SLAs',
  board: 'task table',
  reign: 'champion entry',
  reigns: 'champion log',
  mischief: 'fault',
  unpause: 'resume',
  surroundings: 'dependencies, context',
  wanted: 'request, target',
};

/** Exported names that are wire data or somebody else's, each with its reason. */
const ALLOWED_NAMES: ReadonlySet<string> = new Set([]);

const tracked = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], { cwd: ROOT, encoding: 'utf8' })
  .trim()
  .split('\n');

/** Source files of the product, without tests. */
const sources = tracked.filter((file) => /\.(ts|mjs)$/.test(file) && !file.startsWith('test/'));

describe('the English of the house', () => {
  it('names files and exports with standard terms', () => {
    const files = tracked.filter((file) => !file.startsWith('test/histories/'));
    const names = [
      ...files.map((file) => ({ name: file.slice(file.lastIndexOf('/') + 1), at: file })),
      ...sources.flatMap((file) => exportsOf(file).map((name) => ({ name, at: file }))),
    ];
    assert.ok(names.length > 1_500);
    const found = names.flatMap(({ name, at }) =>
      ALLOWED_NAMES.has(name) ? [] : partsOf(name).flatMap((part) => (part in NAMES ? [`${at}: ${name}: write ${NAMES[part]}`] : [])),
    );
    assert.deepEqual(found, []);
  });
});

function partsOf(name: string): string[] {
  return name
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z]+/);
}

/** The names that a module exports by declaration. */
function exportsOf(file: string): string[] {
  const names: string[] = [];
  for (const statement of parse(file).statements) {
    const isExported =
      ts.canHaveModifiers(statement) && ts.getModifiers(statement)?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword);
    if (!isExported) continue;
    if (ts.isVariableStatement(statement)) names.push(...statement.declarationList.declarations.map(({ name }) => name.getText()));
    else if ('name' in statement) names.push((statement.name as ts.Identifier).getText());
  }
  return names;
}

function parse(file: string): ts.SourceFile {
  return ts.createSourceFile(file, readFileSync(join(ROOT, file), 'utf8'), ts.ScriptTarget.Latest, true);
}
