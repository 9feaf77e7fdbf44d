/** A driver that only some deployments need, which are listed in `peerDependencies` of package.json, is not installed. */
export class DriverMissing extends Error {
  override readonly name = 'DriverMissing';
}

/**
 * Loads a driver that few deployments need and that is therefore installed separately.
 * @param name of its npm package
 * @param users what needs it, as the start of a sentence: `MySQL connections`
 * @throws DriverMissing with the command that installs it
 */
export async function loadDriver<T>(name: string, users: string, load: () => Promise<T> | T): Promise<T> {
  try {
    return await load();
  } catch (error) {
    throw asDriverMissing(error, name, users);
  }
}

/** Converts Node's error about the missing package `name`; returns other errors unchanged. */
export function asDriverMissing(error: unknown, name: string, users: string): unknown {
  const { code, message } = error as NodeJS.ErrnoException;
  const isMissing = (code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND') && message.includes(`'${name}`);
  if (!isMissing) return error;
  return new DriverMissing(`${users} need the npm package '${name}', which is not installed here. Install it: npm install ${name}`, {
    cause: error,
  });
}
