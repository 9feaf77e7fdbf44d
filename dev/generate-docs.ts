import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../lib/environment.ts';
import { connectionsPage } from './docs/connections-page.ts';
import { resourcesPage } from './docs/resources-page.ts';
import { taskTypesPage } from './docs/task-types-page.ts';
import { triggersPage } from './docs/triggers-page.ts';

/** The pages in `docs/` that are generated from definitions. */
export const GENERATED_PAGES: Readonly<Record<string, () => string>> = {
  '02-task-types.md': taskTypesPage,
  '08-connections.md': () => connectionsPage(),
  '09-triggers.md': () => triggersPage(),
  '14-resources.md': () => resourcesPage(),
};

if (process.argv[1] === import.meta.filename)
  for (const [page, make] of Object.entries(GENERATED_PAGES)) writeFileSync(join(ROOT, 'docs', page), `${make()}\n`);
