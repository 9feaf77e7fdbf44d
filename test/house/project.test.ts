import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'mocha';
import ts from 'typescript';
import { ROOT } from '../../lib/environment.ts';

/** The number of arguments with which these functions use the definitions of the project instead of the built-in ones. */
const ARGUMENTS: Readonly<Record<string, number>> = {
  channelNamed: 2,
  connectionsFrom: 2,
  connectionTypesIn: 2,
  createMonitors: 4,
  createMonitorWorkers: 5,
  createWorkers: 5,
  definitionOf: 2,
  parseConnection: 3,
  readableFields: 1,
  readableValues: 2,
  runCase: 4,
  runCheckCycle: 3,
  scrubberOf: 2,
  secretsIn: 3,
};

/** Until the project is loaded, only the built-in connection types are known. Imports write only built-in types. The demo uses no others. */
const WITHOUT_PROJECT = [
  'cli/command-context.ts: scrubberOf',
  'cli/import/jinja-lookups.ts: readableFields',
  'cli/import/settle-tasks.ts: Compiler',
  /^dev\/demo\//,
  /^dev\/start\.ts: connectionsFrom/,
];

/** Most files call none of them, and parsing takes time. */
const MAY_CALL = new RegExp(`\\b(${[...Object.keys(ARGUMENTS), 'Compiler'].join('|')})\\b`);

/** The functions that a file calls without the definitions of the project. */
function callsWithDefaults(file: string): string[] {
  const text = readFileSync(join(ROOT, file), 'utf8');
  if (!MAY_CALL.test(text)) return [];
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    // Defaults of parameters.
    if (ts.isParameter(node) || ts.isBindingElement(node)) return;
    if (ts.isCallExpression(node) && ts.isIdentifier(node.expression)) {
      const needed = ARGUMENTS[node.expression.text];
      if (needed !== undefined && node.arguments.length < needed) found.push(`${file}: ${node.expression.text}`);
    }
    if (ts.isNewExpression(node) && node.expression.getText() === 'Compiler' && (node.arguments?.length ?? 0) < 4)
      found.push(`${file}: Compiler`);
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

describe('the definitions of a project', () => {
  it('are used wherever a process could use the built-in ones', () => {
    const files = readdirSync(ROOT, { recursive: true, encoding: 'utf8' }).filter(
      (file) => file.endsWith('.ts') && !/^(node_modules|\.sluice|dist|test|bench|dev\/docs|dev\/build)\/|^(testing|index)\.ts$/.test(file),
    );
    const found = files.flatMap(callsWithDefaults);
    const unexpected = found.filter(
      (call) => !WITHOUT_PROJECT.some((known) => (typeof known === 'string' ? known === call : known.test(call))),
    );
    assert.ok(files.length > 300);
    assert.deepEqual(unexpected, []);
  });
});
