import { stringify } from 'yaml';
import { keysTable } from '../../compiler/schema/schema-keys.ts';
import { typeName } from '../../connections/catalog.ts';
import { RESOURCES } from '../../resources/catalog.ts';
import type { ResourceType } from '../../resources/define-resource.ts';

/** Generates the reference page of all resource types from their definitions. */
export function resourcesPage(types: readonly ResourceType[] = RESOURCES): string {
  return [
    '# 14. Resources',
    '*Made from the definitions in `resources/` by `npm run docs`; edit those, not this page.*',
    'Files in `resources/` declare what servers should have; `sluice plan` shows what differs and `sluice apply` makes it so: see [Integrations](13-integrations.md#declared-resources). ' +
      'Each resource has `name`, `type`, the keys of its type, and `conn_id`, the connection to its server. Resources are created in the order of this page and deleted in the opposite one.',
    ...types.map(section),
  ].join('\n\n');
}

function section({ type, description, name, connection, params, deletesContents, example }: ResourceType): string {
  const servers = connection.types.map((each) => `\`${typeName(each)}\``).join(' or ');
  return [
    `## ${type}`,
    `${description} \`name\`: ${name.form}. \`conn_id\`: a connection of type ${servers}; by default \`${connection.default}\`.`,
    `\`\`\`yaml\n${stringify({ resources: [example] }).trimEnd()}\n\`\`\``,
    ...keysTable(params),
    deletesContents
      ? 'With `--prune` it is deleted with its contents; `sluice plan` shows how much it holds.'
      : 'It is deleted only while it is empty.',
  ].join('\n\n');
}
