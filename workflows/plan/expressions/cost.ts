import { Decimal } from '../values/decimal.ts';
import type { ASTNode } from './cel.ts';

/**
 * Maximum steps per evaluation, equal to some tens of milliseconds. Steps are counted because timing would differ on replay. A step is an
 * element, or 16 characters, that is read, compared or written. Calls of operators and functions cost some steps too.
 */
export const MAX_STEPS = 2_000_000;

/** Maximum nesting of lists and maps in a value of an expression. */
export const MAX_VALUE_DEPTH = 200;

const STEPS_PER_CALL = 12;
const STEPS_PER_ELEMENT = 4;
const CHARACTERS_PER_STEP = 16;

/** Thrown through CEL, which may treat it as an ordinary error and continue. `Cost.run` checks the limit at the end. */
class TooCostly extends Error {
  override readonly name = 'TooCostly';
}

/** Counts the steps of one evaluation at a time: evaluations are synchronous. */
class Cost {
  // A `#` field because the worker freezes shared objects, and freezing does not affect such fields.
  #steps = 0;

  /** @returns the result of `evaluate`; undefined when it takes too many steps @throws what `evaluate` throws */
  run<T>(evaluate: () => T): T | undefined {
    this.#steps = 0;
    try {
      const result = evaluate();
      return this.isExceeded ? undefined : result;
    } catch (error) {
      if (this.isExceeded) return undefined;
      throw error;
    }
  }

  /** The steps of the last or current evaluation. */
  get steps(): number {
    return this.#steps;
  }

  get isExceeded(): boolean {
    return this.#steps > MAX_STEPS;
  }

  /** @throws TooCostly once the evaluation has taken too many steps */
  charge(steps: number): void {
    this.#steps += steps;
    if (this.isExceeded) throw EXCEEDED;
  }

  /** Charges for reading a whole value. @throws TooCostly; RangeError when it is nested too deeply */
  chargeValue(value: unknown): void {
    this.charge(sizeOf(value, MAX_STEPS));
  }
}

/** Thrown often, so one shared instance avoids collecting a stack each time. */
const EXCEEDED = new TooCostly();

export const cost = new Cost();

/**
 * The size of a value in steps: one per element, and one per 16 characters.
 * @param limit where counting stops
 * @throws RangeError when the value is nested too deeply
 */
export function sizeOf(value: unknown, limit: number): number {
  let size = 0;
  const measure = (part: unknown, depth: number): void => {
    size += 1;
    if (typeof part === 'string') size += part.length / CHARACTERS_PER_STEP;
    if (typeof part !== 'object' || part === null || size > limit) return;
    if (part instanceof Decimal) {
      // Multiplying and formatting long numbers takes time proportional to the square of their length.
      size += (part.digits.toString(16).length / CHARACTERS_PER_STEP) ** 2;
      return;
    }
    if (depth >= MAX_VALUE_DEPTH) throw new RangeError(`a value is nested more than ${MAX_VALUE_DEPTH} levels deep`);
    if (Array.isArray(part)) {
      for (const each of part) {
        measure(each, depth + 1);
        if (size > limit) return;
      }
      return;
    }
    for (const key in part) {
      size += key.length / CHARACTERS_PER_STEP;
      measure((part as Readonly<Record<string, unknown>>)[key], depth + 1);
      if (size > limit) return;
    }
  };
  measure(value, 0);
  return size;
}

/** The fields of cel-js 8 nodes that we use. After checking, `handle` gets the operands first. cost.test.ts detects changes. */
interface Node {
  readonly op: string;
  readonly args: unknown;
  readonly meta: { readonly alternate?: unknown; readonly macro?: unknown };
}
type Handle = (...operands: readonly unknown[]) => unknown;
interface Comprehension {
  condition?: (accumulated: unknown) => boolean;
}

/** Makes the operators, functions and loops of an expression charge for their steps. */
export function meter(root: ASTNode): void {
  const seen = new Set<unknown>();
  const visit = (value: unknown): void => {
    if (typeof value !== 'object' || value === null || seen.has(value)) return;
    seen.add(value);
    if (isNode(value)) {
      meterNode(value);
      visit(value.args);
      visit(value.meta.alternate);
      visit(value.meta.macro);
    } else {
      Object.values(value).forEach(visit);
    }
  };
  visit(root);
}

function isNode(value: object): value is Node {
  return 'op' in value && 'args' in value && 'meta' in value;
}

function meterNode(node: Node): void {
  let handle: Handle | undefined;
  Object.defineProperty(node, 'handle', {
    configurable: true,
    get: () => handle,
    set(unmetered: Handle) {
      handle = (...operands) => {
        chargeFor(node, operands);
        return unmetered(...operands);
      };
    },
  });
  if (node.op !== 'comprehension') return;
  // An error in a step does not end `exists` and `all`, so their condition checks the limit.
  const comprehension = node.args as Comprehension;
  const { condition } = comprehension;
  if (condition) comprehension.condition = (accumulated) => !cost.isExceeded && condition(accumulated);
}

function chargeFor({ op, args }: Node, [first, second]: readonly unknown[]): void {
  cost.charge(STEPS_PER_CALL);
  switch (op) {
    case 'comprehension':
      return cost.charge(lengthOf(first));
    case 'in':
      return Array.isArray(second) ? chargeMembership(first, second) : undefined;
    case '==':
    case '!=':
    case '<':
    case '<=':
    case '>':
    case '>=':
      return chargeComparison(first, second);
    case '+':
    case '-':
    case '*':
    case '/':
    case '%':
      return cost.charge(shallowSize(first) + shallowSize(second));
    case 'call':
    case 'rcall':
      return chargeForCall(String((args as readonly unknown[])[0]), first as readonly unknown[]);
    default:
  }
}

/** Functions that search one text in another. In the worst case they compare each character of one with each of the other. */
const SEARCHES: ReadonlySet<string> = new Set(['contains', 'indexOf', 'lastIndexOf', 'split']);

function chargeForCall(name: string, operands: readonly unknown[]): void {
  const [first, second] = operands;
  for (const each of operands) if (typeof each === 'string' || each instanceof Decimal) cost.charge(shallowSize(each));
  if (SEARCHES.has(name) && typeof first === 'string' && typeof second === 'string') {
    cost.charge((first.length * Math.max(1, second.length)) / (2 * CHARACTERS_PER_STEP));
    if (name === 'split') cost.charge(first.length);
  }
  if (name === 'join') cost.chargeValue(first);
  if (name === 'size') cost.charge(typeof first === 'object' && first !== null && !Array.isArray(first) ? lengthOf(first) : 0);
}

/** The keys of a map are listed before they are counted. */
function lengthOf(collection: unknown): number {
  if (Array.isArray(collection)) return collection.length;
  return typeof collection === 'object' && collection !== null ? STEPS_PER_CALL * Object.keys(collection).length : 1;
}

/** The size of a text, list or number, without the contents of a list's elements. */
function shallowSize(value: unknown): number {
  return Array.isArray(value) ? value.length : typeof value === 'string' || value instanceof Decimal ? sizeOf(value, MAX_STEPS) : 1;
}

/** Charges for comparing each element. A comparison reads at most the smaller of the element and the searched value. */
function chargeMembership(member: unknown, list: readonly unknown[]): void {
  cost.charge(STEPS_PER_ELEMENT * list.length);
  if (typeof member !== 'object' && typeof member !== 'string') return;
  const atMost = list.length * sizeOf(member, MAX_STEPS);
  if (atMost > list.length) cost.charge(sizeOf(list, atMost));
}

/** Texts, lists and maps of different lengths differ at once, so their comparison is cheap. */
function chargeComparison(a: unknown, b: unknown): void {
  if (typeof a === 'string' && typeof b === 'string') return cost.charge(Math.min(a.length, b.length) / CHARACTERS_PER_STEP);
  if (a instanceof Decimal || b instanceof Decimal) return cost.charge(shallowSize(a) + shallowSize(b));
  if (typeof a !== 'object' || typeof b !== 'object') return;
  const [first, second] = [lengthOf(a), lengthOf(b)];
  cost.charge(first + second);
  if (first === second) cost.chargeValue(a);
}
