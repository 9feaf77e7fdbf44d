import Type from 'typebox';
import type { ConnectionType } from './catalog.ts';

/**
 * The name of a connection.
 * @param types which it may have; none: the task type says which by the keys beside it (`connectionTypes`)
 * @param formerly what earlier releases called the key
 */
export function connectionField(description: string, example: string, types: readonly ConnectionType[], formerly?: string) {
  return Type.String({
    title: 'Connection',
    description,
    pattern: '^[a-z][a-z0-9_]*$',
    form: 'lowercase letters, digits and _, starting with a letter',
    template: 'none',
    connection: types,
    ...(formerly !== undefined && { formerly }),
    examples: [example],
  });
}
