import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { existsSync } from 'node:fs';
import { describe, it } from 'mocha';
import { TASK_TYPES_PAGE, taskTypesPage } from '../../dev/generate-docs.ts';
import { ROOT } from '../../lib/environment.ts';

describe('the documentation', () => {
  it('has the task types as they are defined (npm run docs)', () => {
    assert.equal(readFileSync(TASK_TYPES_PAGE, 'utf8'), `${taskTypesPage()}\n`);
  });

  it('has no dead links between its pages', () => {
    const pages = ['README.md', 'CONTRIBUTING.md', ...readdirSync(join(ROOT, 'docs')).map((page) => join('docs', page))].filter((page) =>
      page.endsWith('.md'),
    );
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
