// Entry point of every npm script. Plain JavaScript without packages: works on a fresh clone and on an old Node.
const [, , mode = '', ...args] = process.argv;
const MINIMUM = [20, 19];

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < MINIMUM[0] || (major === MINIMUM[0] && minor < MINIMUM[1])) {
  console.error(
    `Sluice needs Node ${MINIMUM.join('.')} or later; this is ${process.versions.node} (${process.execPath}).\n` +
      'Install a later one, for example with nvm install 22 or from your package manager, and start again.',
  );
  process.exit(1);
}

// Imported late, so that an old Node reaches the message above.
const { installPackages } = await import('./launch/install-packages.mjs');
const { runMode } = await import('./launch/run-mode.mjs');
try {
  await installPackages();
  // `install` is for CI, where the checks before the tests need the packages too.
  if (mode !== 'install') await runMode(mode, args);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}
