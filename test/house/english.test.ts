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

/** Phrases that a native reader would stumble over, in messages, help, docs and comments of pipelines. */
const PHRASES: readonly (readonly [RegExp, string])[] = [
  [/\btold\b|\btells?\b/i, 'notify, report, show, identify'],
  [/\bnobody\b|\bsomebody\b|\bwhoever\b|\bwhomever\b/i, 'name the role: an operator, the caller, no one'],
  [/\banew\b/i, 'again, recreated, rebuilt'],
  [/\bpromise[sd]?\b/, 'SLA, deadline'],
  [/\blook(s|ed|ing)? (at|again|after)\b|\b(a|each|last|first) look\b/i, 'check, read, poll'],
  [/\bverdicts?\b|\bjudge[sd]?\b|\bsift(s|ed)?\b/i, 'match, decide, result'],
  [/\bmeets? (the|its|a|every|this|that)\b/i, 'matches, satisfies'],
  [/\bbur(y|ied)\b|\b(keep|keeps|kept|put|puts) aside\b/i, 'dead-letter'],
  [/\bstanding\b|\bstands? (in|for|at|below|under|there|beside|before|after|as)\b|\bhow \w+ stands?\b/i, 'is, is written, status'],
  [/\bbegun\b/i, 'started'],
  [/\bunpause[sd]?\b/i, 'resume'],
  [/\bdata sets?\b/i, 'dataset'],
  [/\bas far as\b/i, 'if, where, a precise condition'],
  [/(?<!there )\bis no (?!longer\b|more\b|other\b)/i, 'is not a'],
  [/\bno room\b/i, 'exceeds the limit'],
  [/\bnone of the forms\b/i, 'matches none of the allowed forms'],
  [/\bby (itself|themselves)\b/i, 'automatically, alone, separately'],
  [/\bin (its|the|their) way\b/i, 'blocked by, reason'],
  [/\bof (its|their|one's) own\b/i, 'separate, its own …'],
  [/(?<!not )\bat all\b/i, 'drop it'],
  [/\b(is|are|was) taken for\b/i, 'is treated as'],
  [/\ball the same\b/i, 'anyway'],
  [/\bfor so long\b|\bso many\b|\bso often\b/i, 'the limit, with its unit'],
  [/\bwhatever (it|the|is|has|that|a)\b/i, 'regardless of, any'],
  [/\bgo(es)? on\b/i, 'continue'],
  [/\bhand(s|ed)? on\b/i, 'pass, start'],
  [/\b(do|does) not say\b|\bsays (what|who|how|which|nothing|all|so)\b/i, 'name the missing thing'],
  [/\bthere (are|is): /i, 'name the list: Tasks: a, b.'],
  [/\bfor ever\b/i, 'forever, indefinitely'],
  [/\bfault of Sluice\b/i, 'internal error of Sluice'],
  [/\bsmall letters\b/i, 'lowercase letters'],
  [/\bbegin(s)? again\b/i, 'restart'],
];

/** Parts of the product whose messages follow the list. */
const MESSAGES = /^(?!bench\/)/;

/** Pages for people. */
const PAGES = /^(README|SECURITY|CONTRIBUTING|docs\/.*)\.md$|^(pipelines|cli\/templates)\/.*\.yaml(\.template)?$/;

/** Texts in which a listed phrase is right, by file and phrase, each with its reason. */
const ALLOWED_TEXTS: Readonly<Record<string, string>> = {
  'cli/commands/operate.ts: unpause': 'the wire name of the update that `sluice resume` sends',
  'workflows/plan/runs/decision.ts: unpause': 'the wire name of an update',
  'monitors/sensor-troubles.ts: standing': 'part of the key of an incident, which is wire data',
  'docs/03-writing-task-types.md: promise': 'of JavaScript',
  'docs/07-changing-the-interpreter.md: promise': 'of JavaScript',
  'docs/07-changing-the-interpreter.md: promises': 'of JavaScript',
  'dev/servers/server-user.ts: nobody': 'a user of Unix',
  'dev/servers/parts/pgbouncer.ts: nobody': 'a user of Unix',
  'docs/04-operating.md: unpause': 'the wire name of an update',
  'docs/dependencies.md: promise': 'of JavaScript',
  'eslint.config.mjs: promises': 'the name of a rule',
  'lib/databases/mysql.ts: promise': 'the name of a module',
  'compiler/resolve/resolve-slas.ts: promise': 'a key of plans, which is wire data',
};

const tracked = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], { cwd: ROOT, encoding: 'utf8' })
  .trim()
  .split('\n');

/** Source files of the product, without tests. */
const sources = tracked.filter((file) => /\.(ts|mjs)$/.test(file) && !file.startsWith('test/'));
const tests = tracked.filter((file) => file.endsWith('.test.ts'));

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

  it('writes messages and help in plain English', () => {
    const texts = sources.filter((file) => MESSAGES.test(file)).flatMap(textsOf);
    assert.ok(texts.length > 500);
    assert.deepEqual(texts.flatMap(phrasesIn), []);
  });

  it('titles tests in plain English', () => {
    const titles = tests.flatMap(titlesOf);
    assert.ok(titles.length > 1_500);
    assert.deepEqual(titles.flatMap(phrasesIn), []);
  });

  it('writes pages for people in plain English', () => {
    const lines = tracked
      .filter((file) => PAGES.test(file))
      .flatMap((file) =>
        readFileSync(join(ROOT, file), 'utf8')
          .split('\n')
          .map((text, index) => ({ text: file.includes('.yaml') ? commentOf(text) : text, at: `${file}:${index + 1}` })),
      );
    assert.deepEqual(lines.flatMap(phrasesIn), []);
  });
});

interface Text {
  readonly text: string;
  readonly at: string;
}

/** @returns each listed phrase of a text, with what to write */
function phrasesIn({ text, at }: Text): string[] {
  return PHRASES.flatMap(([phrase, instead]) => {
    const found = phrase.exec(text)?.[0];
    if (found === undefined || ALLOWED_TEXTS[`${at.split(':')[0]}: ${found}`] !== undefined) return [];
    const from = Math.max(0, text.indexOf(found) - 40);
    return [`${at}: '${found}' in '${text.slice(from, from + 120)}': write ${instead}`];
  });
}

/** The string literals and templates of a module, where `…` replaces what is filled in; names of modules are left out. */
function textsOf(file: string): Text[] {
  return nodesOf(file, (node) => !ts.isImportDeclaration(node) && !ts.isExportDeclaration(node)).flatMap(
    (node) => textOf(file, node) ?? [],
  );
}

/** The titles of the tests of a module, and of their groups: `it('…')`, `it.only('…')`. */
function titlesOf(file: string): Text[] {
  return nodesOf(file).flatMap((node) => {
    if (!ts.isCallExpression(node)) return [];
    const {
      expression,
      arguments: [title],
    } = node;
    const called = ts.isPropertyAccessExpression(expression) ? expression.expression : expression;
    return title && ts.isIdentifier(called) && ['it', 'describe'].includes(called.text) ? (textOf(file, title) ?? []) : [];
  });
}

/** The nodes of a module; without those that are not `included`, and all in them. */
function nodesOf(file: string, included: (node: ts.Node) => boolean = () => true): ts.Node[] {
  const nodes: ts.Node[] = [];
  const visit = (node: ts.Node): void => {
    if (!included(node)) return;
    nodes.push(node);
    node.forEachChild(visit);
  };
  visit(parse(file));
  return nodes;
}

/** The text of a literal or template; undefined for other nodes. */
function textOf(file: string, node: ts.Node): Text | undefined {
  const text = ts.isStringLiteralLike(node)
    ? node.text
    : ts.isTemplateExpression(node)
      ? [node.head.text, ...node.templateSpans.map(({ literal }) => literal.text)].join('…')
      : undefined;
  if (text === undefined) return undefined;
  return { text, at: `${file}:${node.getSourceFile().getLineAndCharacterOfPosition(node.getStart()).line + 1}` };
}

/** The comment of a line of YAML. */
function commentOf(line: string): string {
  return /(?:^|\s)#(.*)$/.exec(line)?.[1] ?? '';
}

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
