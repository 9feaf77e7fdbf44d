import Type from 'typebox';
import { type ConnectionKind, typeName } from './catalog.ts';

/**
 * The schema of a connection name.
 * @param types allowed types; empty: the task type decides by the other keys (`connectionTypes`)
 * @param formerly the key's name in earlier releases
 */
export function connectionField(description: string, example: string, types: readonly ConnectionKind[], formerly?: string) {
  return Type.String({
    title: 'Connection',
    description,
    pattern: '^[a-z][a-z0-9_]*$',
    form: 'lowercase letters, digits and _, starting with a letter',
    template: 'none',
    connection: types.map(typeName),
    ...(formerly !== undefined && { formerly }),
    examples: [example],
  });
}
