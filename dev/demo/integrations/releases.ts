import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runTool } from '../../servers/run-tool.ts';
import { RECOMMENDATIONS } from './service-process.ts';

/** A change of the service, in its file `app.py`. */
export interface ReleaseEdit {
  readonly from: string;
  readonly to: string;
}

/** The version of the service in the repository. */
export const CURRENT_VERSION = '1.0.0';

/** Edits of the service that its release shows. */
export const RELEASE_EDITS = {
  /** A new field, which every caller may ignore. */
  newField: {
    from: '    score: float\n',
    to: '    score: float\n    category_id: str | None = Field(default=None, description="The category of the product, if it has one.")\n',
  },
  /** Pipelines and pages that read the field would break. */
  removedField: { from: '    reason: str = Field(description="Why it is recommended, to be shown to the user.")\n', to: '' },
  /** No consumer's contract covers it; the smoke test does. */
  brokenWrite: {
    from: '    """Replaces what a user has chosen."""\n',
    to: '    """Replaces what a user has chosen."""\n    raise RuntimeError("no such table: preferences")\n',
  },
} as const satisfies Record<string, ReleaseEdit>;

/**
 * Makes a release of the service: a copy with another version and edits, and with the OpenAPI document that it then serves.
 * @param folder does not exist yet
 * @returns the folder
 */
export async function makeRelease(python: string, folder: string, version: string, edits: readonly ReleaseEdit[]): Promise<string> {
  await cp(RECOMMENDATIONS, folder, { recursive: true });
  const file = join(folder, 'app.py');
  let text = await readFile(file, 'utf8');
  for (const { from, to } of [{ from: `version="${CURRENT_VERSION}"`, to: `version="${version}"` }, ...edits]) {
    if (!text.includes(from)) throw new Error(`The service has no '${from.trim()}' that could be edited.`);
    text = text.replace(from, () => to);
  }
  await writeFile(file, text);
  const environment = { PATH: process.env['PATH'], PYTHONDONTWRITEBYTECODE: '1' };
  await writeFile(join(folder, 'openapi.json'), `${await runTool(python, ['describe.py'], { environment, workingFolder: folder })}\n`);
  return folder;
}
