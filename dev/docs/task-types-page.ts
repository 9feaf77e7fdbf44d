import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { stringify } from 'yaml';
import { CATALOG } from '../../activities/catalog.ts';
import type { TaskType } from '../../activities/define-task.ts';
import { PLATFORM_FAULTS, USER_FAULTS } from '../../activities/run/failure-types.ts';
import { ROOT } from '../../lib/environment.ts';
import { keysTable, outputOf } from '../../compiler/schema/schema-keys.ts';

/** Generates the reference page of all task types from their definitions. */
export function taskTypesPage(): string {
  return [
    '# 2. Task types',
    '*Made from the definitions in `activities/` by `npm run docs`; edit those, not this page.*',
    'Keys that stand inside of another are written with a point: `expect.status` is `expect: {status: …}`, `checks[].name` is a key of each element of `checks`, and ' +
      '`normalize.<name>.scale` one under a name of yours. The output of a task is what later ones read as `outputs.<task>.<field>`.',
    errorsSection(),
    ...CATALOG.map(taskTypeSection),
  ].join('\n\n');
}

function errorsSection(): string {
  const list = (types: readonly string[]): string => types.map((type) => `\`${type}\``).join(', ');
  return [
    '## Errors',
    `The types of failures, as \`retry_policy\` and the Temporal UI name them. Another attempt cures none of these, and none is made: ${list(USER_FAULTS)}.`,
    `These may be gone at the next attempt, which \`retries\` allows: ${list(PLATFORM_FAULTS)}. Any task can fail with ${list(ANY_TASK)}; the others stand with the types that can.`,
  ].join('\n\n');
}

function taskTypeSection({ type, description, params, result, example, data, exactlyOneOf = [], errors: own = [] }: TaskType): string {
  const facts = [
    data.reads && "It reads its nearest upstream's data.",
    data.writes && 'It makes data that later tasks can read.',
    ...exactlyOneOf.map((group) => `One of ${group.map((key) => `\`${key}\``).join(', ')} is needed, and only one.`),
  ].filter(Boolean);
  const errors = [...own, ...errorsIn(type)];
  return [
    `## ${type}`,
    [description, ...facts].join(' '),
    `\`\`\`yaml\n${stringify([example]).trimEnd()}\n\`\`\``,
    ...keysTable(params),
    `Output: ${outputOf(result)}`,
    ...(errors.length > 0 ? [`Errors: ${errors.map((error) => `\`${error}\``).join(', ')}.`] : []),
  ].join('\n\n');
}

/** Error types that any task can have. */
const ANY_TASK = ['InvalidParameters', 'ConnectionNotDefined', 'OutputTooLarge', 'CallbackFailed', 'WorkerShutdown'];

/** The error types in the code of a task type: in its file and the files it imports. */
function errorsIn(type: string): readonly string[] {
  const folder = join(ROOT, 'activities');
  const isOf = new RegExp(`\\btype: '${type}',`);
  const file = readdirSync(folder).find((name) => name.endsWith('.ts') && isOf.test(readFileSync(join(folder, name), 'utf8')));
  const [seen, found] = [new Set<string>(), new Set<string>()];
  const read = (path: string): void => {
    if (seen.has(path) || path.endsWith('failure-types.ts') || !path.startsWith(folder)) return;
    seen.add(path);
    const text = readFileSync(path, 'utf8');
    for (const [, name = ''] of text.matchAll(/'([A-Z]\w+)'/g)) found.add(name);
    for (const [, kind, from = ''] of text.matchAll(/(import type\b[^;]*?from|from|import\() ?'(\.[^']+\.ts)'/g)) {
      if (!kind?.startsWith('import type')) read(join(dirname(path), from));
    }
  };
  if (file !== undefined) read(join(folder, file));
  return [...USER_FAULTS, ...PLATFORM_FAULTS].filter((name) => found.has(name) && !ANY_TASK.includes(name));
}
