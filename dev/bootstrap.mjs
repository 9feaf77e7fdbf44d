// Entry point of every npm script. Plain JavaScript without packages: works on a fresh clone and on an old Node.
import '../bin/check-node.mjs';

const [, , mode = '', ...args] = process.argv;

// Imported late, so that an old Node reaches its message.
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
