// Runs after the installation of the package: removes the builds of Temporal's core for other platforms, 110 MB that npm cannot leave out.
import { readdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A clone's node_modules may be shared with other machines. */
const isInstalled = /[\\/]node_modules[\\/]/.test(fileURLToPath(import.meta.url));
if (isInstalled) keepOwnPlatform();

/** Never fails: an installation with all platforms works too. */
function keepOwnPlatform() {
  try {
    const worker = createRequire(import.meta.url).resolve('@temporalio/worker');
    const require = createRequire(worker);
    const { getPrebuiltTargetName, targets } = require('@temporalio/core-bridge/common.js');
    const releases = join(dirname(require.resolve('@temporalio/core-bridge/package.json')), 'releases');
    const builds = readdirSync(releases);
    const own = getPrebuiltTargetName();
    if (!builds.includes(own)) return;
    for (const build of builds) if (build !== own && targets.includes(build)) rmSync(join(releases, build), { recursive: true });
  } catch (error) {
    console.error(`Builds of Temporal's core for other platforms are left in place: ${error instanceof Error ? error.message : error}`);
  }
}
