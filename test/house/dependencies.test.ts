import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'mocha';
import { ROOT } from '../../lib/environment.ts';

interface Lock {
  readonly packages: Readonly<Record<string, { readonly version?: string; readonly engines?: { readonly node?: string } }>>;
}

const { dependencies, devDependencies, engines } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as Readonly<
  Record<'dependencies' | 'devDependencies' | 'engines', Readonly<Record<string, string>>>
>;
const { packages } = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as Lock;
const page = readFileSync(join(ROOT, 'docs/dependencies.md'), 'utf8');
const EXACT = /^\d+\.\d+\.\d+(-[\w.-]+)?$/;

/** The rows of the table of internals: package, file, test. */
const INTERNALS = [...page.matchAll(/^\| `([^`]+)` \| `([^`]+\.ts)` \| .* \| `(test\/[^`]+)` \|$/gm)].map(
  ([, name = '', file = '', test = '']) => ({
    name,
    file,
    test,
  }),
);

/** The oldest Node that a range such as `>= 18`, `^20.19.0 || >=22.12` allows from major 20 on. Undefined: none of 20. */
function allows20(range: string, minor: number): boolean {
  return range.split('||').some((part) => {
    const [, operator = '', major = '', from = '0'] = /^\s*(>=|\^|~|>)?\s*v?(\d+|\*)(?:\.(\d+|x))?/.exec(part) ?? [];
    if (major === '*') return true;
    if (Number(major) === 20) return operator === '' ? from === '0' || from === 'x' : Number(from) <= minor;
    return operator.startsWith('>') && Number(major) < 20;
  });
}

describe('dependencies', () => {
  it('are pinned exactly where internals of them are relied on, each in one file with a test', () => {
    assert.ok(INTERNALS.length >= 10);
    const declared: Readonly<Record<string, string>> = { ...dependencies, ...devDependencies };
    assert.deepEqual(
      INTERNALS.filter(
        ({ name, file, test }) => !EXACT.test(declared[name] ?? '') || !existsSync(join(ROOT, file)) || !existsSync(join(ROOT, test)),
      ),
      [],
    );
  });

  it('of the Temporal SDK have one version', () => {
    const versions = Object.entries({ ...dependencies, ...devDependencies }).flatMap(([name, version]) =>
      name.startsWith('@temporalio/') ? version : [],
    );
    assert.ok(versions.length > 5);
    assert.deepEqual([...new Set(versions)].filter((version) => EXACT.test(version)).length, 1);
    assert.equal(new Set(versions).size, 1);
  });

  it('all run on the oldest Node that package.json allows', () => {
    const [, minor = ''] = /^>=20\.(\d+)$/.exec(engines['node'] ?? '') ?? [];
    assert.notEqual(minor, '');
    const refusing = Object.entries(packages).filter(
      ([path, { engines: own }]) => path !== '' && own?.node !== undefined && !allows20(own.node, Number(minor)),
    );
    assert.deepEqual(
      refusing.map(([path, { version, engines: own }]) => `${path} ${version} needs Node ${own?.node}`),
      [],
    );
  });
});
