import type { Json } from '../values/json.ts';
import type { ASTNode } from './cel.ts';

/**
 * Whether a condition holds of values; undefined where that is not so simple.
 * @param isRounded whether numbers are what `JSON.parse` makes of them: then one that is equal to what it is compared with may have been a
 *   neighbour, and is not so simple. Rounding keeps the order of all others. Default: false.
 */
export type QuickCondition = (values: Readonly<Record<string, unknown>>, isRounded?: boolean) => boolean | undefined;

/**
 * A condition as a function of JSON, for those that ask it a hundred thousand times a second: comparisons of fields with numbers, texts and
 * truths, joined by `&&`, `||` and `!`. Everything else, and every value that CEL might see differently (a field that is missing, another
 * type, `1 == 1.0`), is undefined: ask CEL then.
 * @returns undefined where the condition is of no such form
 */
export function quickCondition(node: ASTNode): QuickCondition | undefined {
  switch (node.op) {
    case '&&':
    case '||': {
      const [left, right] = [quickCondition(node.args[0]), quickCondition(node.args[1])];
      if (!left || !right) return undefined;
      const decides = node.op === '||';
      return (values, isRounded) => {
        const first = left(values, isRounded);
        return first === decides || first === undefined ? first : right(values, isRounded);
      };
    }
    case '!_': {
      const inner = quickCondition(node.args);
      return (
        inner &&
        ((values, isRounded) => {
          const holds = inner(values, isRounded);
          return holds === undefined ? undefined : !holds;
        })
      );
    }
    case '==':
    case '!=':
    case '<':
    case '<=':
    case '>':
    case '>=':
      return comparison(node.op, node.args[0], node.args[1]);
    default:
      return undefined;
  }
}

type Operator = '==' | '!=' | '<' | '<=' | '>' | '>=';
const TURNED: Readonly<Record<Operator, Operator>> = { '==': '==', '!=': '!=', '<': '>', '<=': '>=', '>': '<', '>=': '<=' };

function comparison(operator: Operator, left: ASTNode, right: ASTNode): QuickCondition | undefined {
  if (left.op === 'value') return right.op === 'value' ? undefined : comparison(TURNED[operator], right, left);
  if (right.op !== 'value') return undefined;
  const read = reader(left);
  const compare = comparer(operator, right.args);
  return read && compare && ((values, isRounded) => compare(read(values), isRounded));
}

/** Reads a field of a name. What is missing is undefined, which no comparison knows. */
function reader(node: ASTNode): ((values: Readonly<Record<string, unknown>>) => unknown) | undefined {
  if (node.op === 'id') {
    const name = node.args;
    return (values) => values[name];
  }
  if (node.op !== '.') return undefined;
  const [object, field] = node.args;
  const outer = reader(object);
  // What objects and lists have by nature is no field of an event: CEL sees to such names.
  if (!outer || field in Array.prototype) return undefined;
  return (values) => {
    const value = outer(values);
    return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, Json>>)[field] : undefined;
  };
}

function comparer(
  operator: Operator,
  literal: unknown,
): ((value: unknown, isRounded: boolean | undefined) => boolean | undefined) | undefined {
  if (typeof literal === 'string' || typeof literal === 'boolean') {
    if (operator !== '==' && operator !== '!=') return undefined;
    const wanted = operator === '==';
    const type = typeof literal;
    return (value) => (typeof value === type ? (value === literal) === wanted : undefined);
  }
  // `1 == 1.0` is a question for CEL; larger and smaller are the same for both.
  if ((typeof literal !== 'number' && typeof literal !== 'bigint') || operator === '==' || operator === '!=') return undefined;
  const number = Number(literal);
  if (typeof literal === 'bigint' && !Number.isSafeInteger(number)) return undefined;
  const isDecided = (value: unknown, isRounded: boolean | undefined): value is number =>
    typeof value === 'number' && (isRounded !== true || value !== number);
  switch (operator) {
    case '<':
      return (value, isRounded) => (isDecided(value, isRounded) ? value < number : undefined);
    case '<=':
      return (value, isRounded) => (isDecided(value, isRounded) ? value <= number : undefined);
    case '>':
      return (value, isRounded) => (isDecided(value, isRounded) ? value > number : undefined);
    case '>=':
      return (value, isRounded) => (isDecided(value, isRounded) ? value >= number : undefined);
  }
}
