import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'mocha';
import { allowsNode } from '../../bin/node-range.mjs';
import { ROOT } from '../../lib/environment.ts';

interface Lock {
  readonly packages: Readonly<
    Record<string, { readonly version?: string; readonly dev?: boolean; readonly engines?: { readonly node?: string } }>
  >;
}

const { dependencies, devDependencies, engines, peerDependencies, peerDependenciesMeta } = JSON.parse(
  readFileSync(join(ROOT, 'package.json'), 'utf8'),
) as Readonly<Record<'dependencies' | 'devDependencies' | 'engines' | 'peerDependencies', Readonly<Record<string, string>>>> & {
  readonly peerDependenciesMeta: Readonly<Record<string, { readonly optional?: boolean }>>;
};
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

  it('that are drivers for few are optional, tested, and loaded on first use', () => {
    const drivers = Object.keys(peerDependencies);
    assert.ok(drivers.length > 0);
    assert.deepEqual(
      drivers.filter(
        (name) => peerDependenciesMeta[name]?.optional !== true || devDependencies[name] === undefined || name in dependencies,
      ),
      [],
    );
    const rooms = ['activities', 'channels', 'cli', 'compiler', 'connections', 'lib', 'monitors', 'sensors', 'temporal', 'workflows'];
    const files = rooms.flatMap((room) =>
      readdirSync(join(ROOT, room), { recursive: true, encoding: 'utf8' })
        .filter((file) => file.endsWith('.ts'))
        .map((file) => join(room, file)),
    );
    const importsOf = (file: string): string[] =>
      [...readFileSync(join(ROOT, file), 'utf8').matchAll(/^(?:import|export) (?!type )[^;]*?from '([^']+)'/gm)].map(([, path = '']) =>
        path.startsWith('.') ? join(dirname(file), path) : path,
      );
    const graph = new Map(files.map((file) => [file, importsOf(file)]));
    const usesDriver = (path: string): boolean => drivers.some((name) => path === name || path.startsWith(`${name}/`));
    // Modules that import a driver statically are imported dynamically, through loadDriver.
    const direct = files.filter((file) => graph.get(file)?.some(usesDriver));
    assert.deepEqual(direct, ['lib/kafka/decoding/avro-reader.ts']);
    assert.deepEqual(
      files.filter((file) => graph.get(file)?.some((path) => direct.includes(path))),
      [],
    );
  });

  it('in production run on exactly the releases of Node that package.json allows', () => {
    const range = engines['node'] ?? '';
    const production = Object.entries(packages).filter(([path, { dev, engines: own }]) => path !== '' && !dev && own?.node !== undefined);
    assert.ok(production.length > 100);
    for (let major = 18; major <= 26; major++)
      for (let minor = 0; minor <= 20; minor++) {
        const refusing = production.filter(([, { engines: own }]) => !allowsNode(own?.node ?? '', major, minor));
        const names = refusing.map(([path, { version, engines: own }]) => `${path} ${version} needs Node ${own?.node}`);
        assert.equal(allowsNode(range, major, minor), names.length === 0, `Node ${major}.${minor}: ${names.join(', ')}`);
      }
  });
});
