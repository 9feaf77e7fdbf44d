import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';

/** Everything fetched from any mirror must match the checksums in dev/servers/pins/: those of Python packages and jars are files there. */
export const PINS = fileURLToPath(new URL('pins', import.meta.url));

/** Go's checksum of each module that is built (`go mod download -json`); its dependencies use Go's checksum database. */
export const GO_MODULES = {
  'github.com/versity/versitygw@v1.8.0': 'h1:au+wI+aybno/STsQiSm35Uu6Q6iK5MWReQxgO6SEMFc=',
  'github.com/temporalio/cli@v1.5.1': 'h1:0RZMk14BWxz44Xg6ciDQvpfAMffoG3J7/K03ql80teY=',
  'go.temporal.io/server@v1.29.1': 'h1:sgiMveg/8e51lA62pWb9VzC5WTRitKFyT6XsjonHUhE=',
  'github.com/oasdiff/oasdiff@v1.37.0': 'h1:4/KuuhVDHF7ltTYNPRvdn9IIbcPRvGRTdJxBErbD5pQ=',
} as const;
export type GoModule = keyof typeof GO_MODULES;

/** Thrown when a fetched file does not match its pinned checksum. */
export class ChecksumMismatch extends Error {
  override readonly name = 'ChecksumMismatch';
}

/**
 * The file in dev/servers/pins/ with the Python packages of a part and their checksums, for pip. Created by `uv pip compile --universal
 * --generate-hashes`.
 */
export function requirementsFile(part: 'spark' | 'mlflow' | 'moto' | 'reladiff' | 'fastapi'): string {
  return join(PINS, `${part}.txt`);
}

/**
 * Compares the files in a folder with `dev/servers/pins/<name>.sha256`, created by `sha256sum *.jar`.
 * @throws ChecksumMismatch for a file with a different or missing checksum
 */
export async function checkFiles(folder: string, name: string): Promise<void> {
  const file = join(PINS, `${name}.sha256`);
  const lines = (await readFile(file, 'utf8')).trim().split('\n');
  const pins = new Map(lines.map((line): [string, string] => [line.slice(66), line.slice(0, 64)]));
  for (const each of await readdir(folder, { withFileTypes: true })) {
    if (!each.isFile()) continue;
    const hash = createHash('sha256');
    await pipeline(createReadStream(join(folder, each.name)), hash);
    const [pinned, fetched] = [pins.get(each.name), hash.digest('hex')];
    if (pinned === fetched) continue;
    const instead = pinned === undefined ? 'it is not listed there' : `there it is ${pinned}`;
    throw new ChecksumMismatch(
      `${each.name} was fetched with the checksum ${fetched}, which is not that of dev/servers/pins/${name}.sha256: ${instead}.`,
    );
  }
}

/** @throws ChecksumMismatch when Go fetched a module other than the pinned one */
export function checkGoModule(module: GoModule, answer: string): void {
  const { Sum: sum } = JSON.parse(answer) as { Sum?: string };
  if (sum === GO_MODULES[module]) return;
  throw new ChecksumMismatch(
    `Go has fetched ${module} with the checksum ${sum}; the pinned one is ${GO_MODULES[module]} (dev/servers/pins.ts).`,
  );
}
