import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { TSchema } from 'typebox';
import { CATALOG } from '../activities/catalog.ts';
import type { TaskType } from '../activities/define-task.ts';
import { ROOT } from '../lib/environment.ts';

/** Where the reference of task types is. */
export const TASK_TYPES_PAGE = join(ROOT, 'docs', '02-task-types.md');

/** The reference page of all task types, from their definitions. */
export function taskTypesPage(): string {
  return [
    '# 2. Task types',
    '*Made from the definitions in `activities/` by `npm run docs`; edit those, not this page.*',
    ...CATALOG.map(taskTypeSection),
  ].join('\n\n');
}

function taskTypeSection({ type, description, params, example, data, exactlyOneOf = [] }: TaskType): string {
  const rows = Object.entries(params.properties as Record<string, Described>).map(([key, schema]) => {
    const required = (params.required as readonly string[] | undefined)?.includes(key) ? '**yes**' : '';
    const form = schema.default === undefined ? '' : ` Default: \`${JSON.stringify(schema.default).replaceAll('"', '')}\`.`;
    return `| \`${key}\` | ${typeOf(schema)} | ${required} | ${(schema.description ?? '').replaceAll('|', '\\|')}${form} |`;
  });
  const facts = [
    data.reads && "It reads its nearest upstream's data.",
    data.writes && 'It makes data that later tasks can read.',
    ...exactlyOneOf.map((group) => `One of ${group.map((key) => `\`${key}\``).join(', ')} is needed, and only one.`),
  ].filter(Boolean);
  return [
    `## ${type}`,
    [description, ...facts].join(' '),
    `\`\`\`yaml\n${stringify([example]).trimEnd()}\n\`\`\``,
    `| key | value | needed | meaning |\n|---|---|---|---|\n${rows.join('\n')}`,
  ].join('\n\n');
}

type Described = TSchema & { type?: string; description?: string; default?: unknown; anyOf?: { const?: unknown }[]; enum?: unknown[] };

function typeOf({ type, anyOf, enum: values }: Described): string {
  const closed = values ?? anyOf?.map((branch) => branch.const).filter((value) => value !== undefined);
  if (closed && closed.length > 0) return closed.map((value) => `\`${String(value)}\``).join(', ');
  return (
    { string: 'text', integer: 'whole number', array: 'list', object: 'map', boolean: '`true`, `false`' }[type ?? ''] ?? type ?? 'scalar'
  );
}

if (process.argv[1] === import.meta.filename) writeFileSync(TASK_TYPES_PAGE, `${taskTypesPage()}\n`);
