import { CONNECTIONS } from '../../connections/catalog.ts';
import type { ConnectionDefinition, ConnectionField } from '../../connections/define-connection.ts';

/** Generates the reference page of all connection types from their definitions. */
export function connectionsPage(catalog: readonly ConnectionDefinition[] = CONNECTIONS): string {
  return [
    '# 8. Connections',
    '*Made from the definitions in `connections/` by `npm run docs`; edit those, not this page.*',
    'A pipeline names a connection, such as `postgres_default`. The environment of the workers defines it: `SLUICE_CONN_POSTGRES_DEFAULT`, as a URI or as JSON with a `type`. ' +
      'Options are written in the query of a URI (`?name=value`). `sluice doctor` tries every connection that is defined where it runs. ' +
      'Secrets never reach plans, histories, logs or expressions. See also [Configuration](04-operating.md#where-things-are-the-environment).',
    ...catalog.map(section),
  ].join('\n\n');
}

function section({ type, description, schemes, example, fields }: ConnectionDefinition): string {
  const uris = schemes.map((scheme) => `\`${scheme}://\``).join(', ');
  const rows = Object.entries(fields).map(
    ([name, field]) => `| \`${name}\` | ${field.description.replaceAll('|', '\\|')} | ${notesOf(name, field).join(', ')} |`,
  );
  return [
    `## ${type}`,
    `${description}. ${schemes.length > 0 ? `URIs begin with ${uris}.` : 'Given as JSON only.'}`,
    `\`\`\`\nSLUICE_CONN_${type.toUpperCase()}_DEFAULT=${example}\n\`\`\``,
    `| field | meaning | |\n|---|---|---|\n${rows.join('\n')}`,
  ].join('\n\n');
}

function notesOf(name: string, { isOption, secret, inExpressions }: ConnectionField): string[] {
  return [
    ...(isOption ? ['option'] : []),
    ...(secret === 'all' ? ['secret'] : secret === 'address' ? ['user, password and keys in it are secret'] : []),
    ...(inExpressions === undefined ? [] : [`\`conn.<name>.${name}\`${secret === 'address' ? ' without its path' : ''}`]),
  ];
}
