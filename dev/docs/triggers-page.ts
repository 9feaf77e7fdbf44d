import { stringify } from 'yaml';
import { TRIGGERS } from '../../sensors/catalog.ts';
import type { TriggerType } from '../../sensors/define-trigger.ts';
import type { Shape } from '../../workflows/plan/expressions/shape.ts';
import { keysTable } from '../../compiler/schema/schema-keys.ts';

/** Generates the reference page of all trigger types from their definitions. */
export function triggersPage(triggers: readonly TriggerType[] = TRIGGERS): string {
  return [
    '# 9. Triggers',
    '*Made from the definitions in `sensors/` by `npm run docs`; edit those, not this page.*',
    'A trigger starts runs besides the clock. Expressions in `when`, `params` and `dedup_key`, and in the tasks of the run, read the event as `event` and what its source says of it as ' +
      '`event_meta`. Where a pipeline has several triggers, a run has the fields of the one that has started it. With `mode: batch` and `mode: window` the event of a run is what was gathered.',
    ...triggers.map(section),
  ].join('\n\n');
}

function section({ type, description, params, exactlyOneOf = [], event, example }: TriggerType): string {
  const groups = exactlyOneOf.map((group) => ` One of ${group.map((key) => `\`${key}\``).join(', ')} is needed.`);
  const fields = { timestamp: 'timestamp', ...event.meta } satisfies Readonly<Record<string, Shape>>;
  return [
    `## ${type}`,
    `${description}${groups.join('')}`,
    `\`\`\`yaml\n${stringify([example]).trimEnd()}\n\`\`\``,
    ...keysTable(params),
    `\`event\`: ${event.value === undefined ? 'any value' : fieldsText(event.value)}.`,
    `\`event_meta\`: ${fieldsText({ fields })}.`,
  ].join('\n\n');
}

/** Lists the fields of a value in one line: `bucket` (text), `size` (whole number). */
function fieldsText(shape: Shape): string {
  if (typeof shape === 'string') return WORDS[shape] ?? shape;
  if ('list' in shape) return 'list';
  const fields = Object.entries(shape.fields);
  return fields.length === 0 ? 'map' : fields.map(([name, field]) => `\`${name}\` (${fieldsText(field)})`).join(', ');
}

const WORDS: Readonly<Record<string, string>> = {
  string: 'text',
  int: 'whole number',
  bool: '`true` or `false`',
  timestamp: 'time',
  dyn: 'any value',
};
