import type { TaskType } from '../../activities/define-task.ts';
import type { Shape } from '../../workflows/plan/expressions/shape.ts';
import { isMap, type JsonObject } from '../../workflows/plan/values/json.ts';

const SCALARS: Readonly<Record<string, Shape>> = { string: 'string', integer: 'int', number: 'double', boolean: 'bool' };

const shapes = new WeakMap<object, Shape>();

/** Cached `shapeOf`: task types use the same schema objects for every file. */
export function shapeOfSchema(schema: unknown): Shape {
  if (!isMap(schema)) return 'dyn';
  let shape = shapes.get(schema);
  if (!shape) shapes.set(schema, (shape = shapeOf(schema)));
  return shape;
}

/**
 * The type of a JSON Schema's values in expressions. If a value may have several types, or is a scalar that may be null, its type is known
 * only in a run: CEL cannot compare typed text with null. The fields of a map that may be null are known.
 */
function shapeOf(schema: JsonObject): Shape {
  const { type, properties, items, anyOf } = schema;
  if (Array.isArray(anyOf)) {
    const branches = anyOf.filter((branch) => !isMap(branch) || branch.type !== 'null').map(shapeOfSchema);
    const [first = 'dyn'] = branches;
    if (branches.length < anyOf.length && typeof first === 'string') return 'dyn';
    return branches.every((shape) => JSON.stringify(shape) === JSON.stringify(first)) ? first : 'dyn';
  }
  if (typeof type === 'string' && Object.hasOwn(SCALARS, type)) return SCALARS[type] ?? 'dyn';
  if (type === 'array') return { list: shapeOfSchema(items) };
  if (type === 'object' && isMap(properties)) {
    return { fields: Object.fromEntries(Object.entries(properties).map(([key, property]) => [key, shapeOfSchema(property)])) };
  }
  return 'dyn';
}

/** The type of a task's output in expressions. @param keys the keys of the task */
export function outputShape(type: Pick<TaskType, 'result' | 'narrow'> | undefined, keys: JsonObject): Shape {
  return shapeOfSchema(type?.narrow?.(keys)?.result ?? type?.result);
}

/** How cel-js declares a variable: a type name, or the fields of a map. */
export type CelDeclaration = string | { [field: string]: CelDeclaration };

/** Converts a shape into a cel-js declaration. cel-js cannot declare lists of maps: their elements are known only in a run. */
export function celDeclaration(shape: Shape): CelDeclaration {
  if (typeof shape === 'string') return shape === 'timestamp' ? 'google.protobuf.Timestamp' : shape;
  if ('list' in shape) {
    const element = celDeclaration(shape.list);
    return typeof element === 'string' ? `list<${element}>` : 'list<dyn>';
  }
  const fields = Object.entries(shape.fields);
  return fields.length === 0 ? 'map<string, dyn>' : Object.fromEntries(fields.map(([name, field]) => [name, celDeclaration(field)]));
}

/** Whether a CEL type is compatible with a JSON Schema. Unknown types are accepted. */
export function fits(celType: string, schema: unknown): boolean {
  if (celType === 'dyn' || !isMap(schema)) return true;
  const { type, anyOf } = schema;
  if (Array.isArray(anyOf)) return anyOf.some((branch) => fits(celType, branch));
  if ('const' in schema || 'enum' in schema) return celType === 'string' || type !== 'string';
  const types = [type ?? []].flat();
  return types.length === 0 || types.some((each) => FITTING[String(each)]?.(celType) ?? true);
}

const FITTING: Readonly<Record<string, (celType: string) => boolean>> = {
  // A time becomes ISO 8601 text.
  string: (type) => ['string', 'google.protobuf.Timestamp', 'google.protobuf.Duration'].includes(type),
  integer: (type) => ['int', 'uint'].includes(type),
  number: (type) => ['int', 'uint', 'double', 'decimal'].includes(type),
  boolean: (type) => type === 'bool',
  null: (type) => type === 'null',
  array: (type) => type.startsWith('list'),
  object: (type) => type.startsWith('map') || type.startsWith('$'),
};

/** A CEL type in words for analysts. */
export function typeInWords(celType: string): string {
  if (celType.startsWith('list')) return 'a list';
  if (celType.startsWith('map') || celType.startsWith('$')) return 'a map';
  return WORDS[celType] ?? celType;
}

const WORDS: Readonly<Record<string, string>> = {
  string: 'text',
  int: 'a whole number',
  uint: 'a whole number',
  double: 'a number',
  decimal: 'a number',
  bool: 'true or false',
  null: 'null',
  sql_names: 'a name for SQL',
  sql_values: 'a list for SQL',
  'google.protobuf.Timestamp': 'a time',
  'google.protobuf.Duration': 'a duration',
};
