import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { chromium } from 'playwright-core';
import { loadEnvironment, ROOT } from '../lib/environment.ts';
import { connectClient } from '../temporal/connect.ts';
import { listRuns } from '../temporal/runs/runs.ts';
import { runUrl } from '../temporal/web-ui.ts';

/** Captures the README's picture of a run from the real Temporal UI, while `npm start` is running: `npx tsx dev/screenshot.ts [dag_id]`. */
const [dagId = 'product_category_etl'] = process.argv.slice(2);
const PICTURE = join(ROOT, 'docs', 'images', 'run.png');
const BROWSERS = ['/usr/bin/chromium', '/usr/bin/google-chrome', '/usr/bin/chromium-browser'];

const executablePath = BROWSERS.find((path) => existsSync(path));
if (executablePath === undefined) throw new Error(`No browser at ${BROWSERS.join(', ')}. On Debian: apt-get install chromium`);
const environment = loadEnvironment();
const client = await connectClient(environment);
const [run] = await listRuns(client, 1, dagId);
const url = run && runUrl(environment, client.options.namespace, run);
await client.connection.close();
if (url === undefined) throw new Error(`There is no run of ${dagId} to show: is \`npm start\` up?`);

const browser = await chromium.launch({
  executablePath,
  args: ['--no-sandbox', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
});
try {
  const page = await browser.newPage({ viewport: { width: 1440, height: 1000 } });
  await page.goto(url, { waitUntil: 'networkidle' });
  await mkdir(dirname(PICTURE), { recursive: true });
  await page.screenshot({ path: PICTURE });
  process.stderr.write(`${PICTURE}\n`);
} finally {
  await browser.close();
}
