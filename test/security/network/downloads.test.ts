import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'mocha';
import { checkFiles, checkGoModule, GO_MODULES, PINS } from '../../../dev/servers/pins.ts';
import { versions } from '../../../dev/servers/versions.ts';
import { ROOT } from '../../../lib/environment.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const read = (...path: string[]): string => readFileSync(join(ROOT, ...path), 'utf8');

/** The files of dev/ that have something fetched, and what holds it against a checksum. */
const FETCHERS: Readonly<Record<string, string>> = {
  'launch/install-packages.mjs': 'npm ci: package-lock.json',
  'servers/go-install.ts': 'pins.ts, and the checksum database of Go',
  'servers/maven.ts': 'dev/servers/pins/*.sha256',
  'servers/python.ts': 'dev/servers/pins/*.txt',
  'servers/debian.ts': "signatures of Debian, by the machine's own keys",
  'servers/download-temporal.ts': 'no checksum is published for it: the SDK fetches it over TLS, at a pinned version',
};

describe('who can change what is downloaded', () => {
  it('changes no npm package: the lock file has a checksum of each', () => {
    const { packages } = JSON.parse(read('package-lock.json')) as { packages: Record<string, { integrity?: string; link?: boolean }> };
    const bare = Object.entries(packages).filter(([path, { integrity = '' }]) => path !== '' && !integrity.startsWith('sha512-'));
    assert.deepEqual(
      bare.map(([path]) => path),
      [],
    );
  });

  it('changes no Python package: each has its version and its checksums, and pip asks for them', () => {
    for (const file of readdirSync(PINS).filter((name) => name.endsWith('.txt'))) {
      // A requirement and its checksums are one line, folded.
      for (const line of read('dev', 'servers', 'pins', file).replace(/\\\n/g, '').trim().split('\n')) {
        assert.match(line, /^[\w.[\],-]+==[^ ]+( ; [^\\]+)?( +--hash=sha256:[0-9a-f]{64})+$/, `${file}: ${line.slice(0, 80)}`);
      }
    }
    for (const [part, name] of [
      ['spark', `pyspark==${versions.pyspark}`],
      ['spark', `numpy==${versions.numpy}`],
      ['mlflow', `mlflow==${versions.mlflow}`],
      ['moto', `==${versions.moto}`],
    ] as const) {
      assert.ok(read('dev', 'servers', 'pins', `${part}.txt`).includes(name), name);
    }
    assert.match(read('dev', 'servers', 'python.ts'), /'--require-hashes'/);
  });

  it('changes no jar', async () => {
    for (const name of [
      `kafka-${versions.kafka}`,
      `kafka-${versions.kafka39}`,
      `kafka-connect-${versions.kafka}-debezium-${versions.debezium}`,
      `s3a-hadoop-${versions.hadoop}`,
      `apicurio-registry-${versions.apicurio}`,
    ]) {
      assert.match(read('dev', 'servers', 'pins', `${name}.sha256`), /^([0-9a-f]{64} {2}[\w.+-]+\n)+$/, name);
    }
    const folder = await temporaryFolder();
    try {
      const pins = `kafka-${versions.kafka}`;
      await writeFile(join(folder.path, 'argparse4j-0.7.0.jar'), 'evil');
      await assert.rejects(checkFiles(folder.path, pins), {
        name: 'ChecksumMismatch',
        message: /argparse4j-0\.7\.0\.jar was fetched .* there it is /,
      });
      await writeFile(join(folder.path, 'argparse4j-0.7.0.jar'), '');
      await writeFile(join(folder.path, 'aaa-evil.jar'), 'evil');
      await assert.rejects(checkFiles(folder.path, pins), { name: 'ChecksumMismatch', message: /aaa-evil\.jar .* it is not listed there/ });
    } finally {
      await folder.remove();
    }
  });

  it('changes no module of Go', () => {
    for (const [module, sum] of Object.entries(GO_MODULES) as [keyof typeof GO_MODULES, string][]) {
      checkGoModule(module, JSON.stringify({ Sum: sum }));
      for (const other of [{ Sum: 'h1:AAAA' }, {}]) {
        assert.throws(() => checkGoModule(module, JSON.stringify(other)), { name: 'ChecksumMismatch' });
      }
    }
  });

  it('and nothing else in dev/ fetches anything', () => {
    const FETCHING = /'npm', \['ci'|'mod', 'download'|dependency:copy|'pip', 'install'|--download-only|cached-download|'(curl|wget|git)'/;
    const files = readdirSync(join(ROOT, 'dev'), { recursive: true }).map(String);
    const found = files.filter((file) => /\.m?ts$|\.mjs$/.test(file) && FETCHING.test(read('dev', file)));
    assert.deepEqual(found.sort(), Object.keys(FETCHERS).sort());
  });
});
