import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { existsSync } from 'node:fs';
import { describe, it } from 'mocha';
import { formatDiagnostic } from '../../compiler/mistakes/diagnostic.ts';
import { GENERATED_PAGES } from '../../dev/generate-docs.ts';
import { ROOT } from '../../lib/environment.ts';
import { compiler } from '../support/compiler.ts';

describe('the documentation', () => {
  for (const [page, make] of Object.entries(GENERATED_PAGES)) {
    it(`has in ${page} what the definitions say (npm run docs)`, () => {
      assert.equal(readFileSync(join(ROOT, 'docs', page), 'utf8'), `${make()}\n`);
    });
  }

  it('has no dead links between its pages', () => {
    const pages = [
      'README.md',
      'CONTRIBUTING.md',
      'SECURITY.md',
      ...readdirSync(join(ROOT, 'docs')).map((page) => join('docs', page)),
    ].filter((page) => page.endsWith('.md'));
    const dead = pages.flatMap((page) =>
      [...readFileSync(join(ROOT, page), 'utf8').matchAll(/\]\((?!https?:)([^)#]+)/g)]
        .map(([, link]) => `${page}: ${link}`)
        .filter((each) => {
          const [from = '', link = ''] = each.split(': ');
          return !existsSync(join(ROOT, dirname(from), link));
        }),
    );
    assert.deepEqual(dead, []);
  });

  it('shows pipelines that compile', () => {
    const examples = ['README.md', join('docs', '01-writing-pipelines.md')].flatMap((page) =>
      [...readFileSync(join(ROOT, page), 'utf8').matchAll(/^```yaml\n(dag_id:.*?)^```$/gms)].map(([, text = '']) => ({ file: page, text })),
    );
    assert.ok(examples.length >= 4);
    const mistakes = examples.flatMap((example) => compiler.compile(example).diagnostics).filter(({ code }) => code !== 'SL306');
    assert.deepEqual(mistakes.map(formatDiagnostic), []);
  });

  it('gives every dependency a reason', () => {
    const { dependencies, devDependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as Record<
      string,
      Record<string, string>
    >;
    const page = readFileSync(join(ROOT, 'docs', 'dependencies.md'), 'utf8');
    const packages = Object.keys({ ...dependencies, ...devDependencies }).filter((name) => !name.startsWith('@types/'));
    assert.deepEqual(
      packages.filter((name) => !page.includes(`\`${name}\``) && !(name.startsWith('@temporalio/') && page.includes('`@temporalio/*`'))),
      [],
    );
  });
});
