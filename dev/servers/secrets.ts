import { randomBytes } from 'node:crypto';
import { withFileLock } from '../launch/file-lock.mjs';
import { homePaths } from '../home.ts';
import { readJson, writeJson } from './json-file.ts';

/**
 * Returns the named secret of this stack, which is generated at first use and stored in `secrets.json` (mode 600).
 * @param make generates it; absent: letters and digits
 */
export async function secretOf(home: string, name: string, make = (): string => randomBytes(16).toString('hex')): Promise<string> {
  const path = homePaths.secrets(home);
  const known = (await readJson<Record<string, string>>(path))?.[name];
  if (known !== undefined) return known;
  return withFileLock(homePaths.lock(home, 'secrets'), async () => {
    const secrets = (await readJson<Record<string, string>>(path)) ?? {};
    const secret = secrets[name] ?? make();
    await writeJson(path, { ...secrets, [name]: secret });
    return secret;
  });
}
