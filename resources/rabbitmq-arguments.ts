import { isMap, type Json } from '../workflows/plan/values/json.ts';
import type { Fields } from './fields.ts';

/** The names that queues and exchanges may have; those that begin with `amq.` belong to RabbitMQ. */
export const RABBITMQ_NAME = {
  pattern: '^(?!amq\\.)[A-Za-z0-9_.:/-]{1,255}$',
  form: 'letters, digits and _ . : / -, not starting with amq.',
} as const;

/** The arguments of a queue or an exchange, as fields. */
export function argumentFields(given: Json | undefined): Fields {
  return Object.fromEntries(
    Object.entries(isMap(given) ? given : {}).map(([name, value]) => [`arguments.${name}`, argumentText(value as Json)]),
  );
}

function argumentText(value: Json): string {
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
