import type { ErrorObject } from 'ajv';

/** Properties of a key in a schema, apart from its values. */
export interface PropertySchema {
  readonly examples?: readonly unknown[];
  readonly formerly?: string;
  /** Whether it names a connection. */
  readonly connection?: boolean;
}

/** The keys that the schema of a refused value allows. */
export function propertiesOf(error: ErrorObject): Record<string, PropertySchema> {
  return (error.parentSchema as { properties?: Record<string, PropertySchema> }).properties ?? {};
}
