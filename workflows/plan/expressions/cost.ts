import { Decimal } from '../values/decimal.ts';
import type { ASTNode } from './cel.ts';

/**
 * Steps that one evaluation may take: some tens of milliseconds. Counted and not timed, so that a replay sees the same. A step is an element or
 * 16 characters that are read, compared or written; a call of an operator or a function counts as some.
 */
export const MAX_STEPS = 2_000_000;

/** Levels of lists and maps that a value in an expression may have. */
export const MAX_VALUE_DEPTH = 200;

const STEPS_PER_CALL = 12;
const STEPS_PER_ELEMENT = 4;
const CHARACTERS_PER_STEP = 16;

/** Thrown through CEL, which may take it for an ordinary error and go on: `Cost.run` has the last word. */
class TooCostly extends Error {
  override readonly name = 'TooCostly';
}

/** Counts the steps of evaluations, one at a time: they are synchronous. */
class Cost {
  // Private to the language, not to the compiler: the worker freezes what runs share, all but such fields.
  #steps = 0;

  /** @returns what `evaluate` does; undefined when it takes too many steps @throws what `evaluate` throws */
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

  /** The steps of the last evaluation, or of the one under way. */
  get steps(): number {
    return this.#steps;
  }

  get isExceeded(): boolean {
    return this.#steps > MAX_STEPS;
  }

  /** @throws TooCostly when the evaluation has taken too many steps, and from then on */
  charge(steps: number): void {
    this.#steps += steps;
    if (this.isExceeded) throw EXCEEDED;
  }

  /** Charges for reading all of a value. @throws TooCostly; RangeError when it is nested too deeply */
  chargeValue(value: unknown): void {
    this.charge(sizeOf(value, MAX_STEPS));
  }
}

/** One for all: what is thrown often has no stack to collect. */
const EXCEEDED = new TooCostly();

export const cost = new Cost();

/**
 * The elements of a value, and its characters by 16.
 * @param limit where counting stops; more is not to be known
 * @throws RangeError when it is nested too deeply
 */
export function sizeOf(value: unknown, limit: number): number {
  let size = 0;
  const measure = (part: unknown, depth: number): void => {
    size += 1;
    if (typeof part === 'string') size += part.length / CHARACTERS_PER_STEP;
    if (typeof part !== 'object' || part === null || size > limit) return;
    if (part instanceof Decimal) {
      // Products and texts of long numbers take time by the square of their length.
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

/** What of a node of cel-js 8 is used: once it is checked, `handle` gets the operands first. cost.test.ts notices when that changes. */
interface Node {
  readonly op: string;
  readonly args: unknown;
  readonly meta: { readonly alternate?: unknown; readonly macro?: unknown };
}
type Handle = (...operands: readonly unknown[]) => unknown;
interface Comprehension {
  condition?: (accumulated: unknown) => boolean;
}

/** Makes the operators, functions and loops of an expression charge for what they do. */
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
  // What a step throws does not end `exists` and `all`: their condition does.
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

/** Functions that look for one text in another: at worst each character of one meets each of the other. */
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

/** Keys of maps are listed before they are counted. */
function lengthOf(collection: unknown): number {
  if (Array.isArray(collection)) return collection.length;
  return typeof collection === 'object' && collection !== null ? STEPS_PER_CALL * Object.keys(collection).length : 1;
}

/** Of texts, lists and numbers, without what is in lists. */
function shallowSize(value: unknown): number {
  return Array.isArray(value) ? value.length : typeof value === 'string' || value instanceof Decimal ? sizeOf(value, MAX_STEPS) : 1;
}

/** Each element is compared: no comparison reads more than the element has, nor more than what is looked for. */
function chargeMembership(wanted: unknown, list: readonly unknown[]): void {
  cost.charge(STEPS_PER_ELEMENT * list.length);
  if (typeof wanted !== 'object' && typeof wanted !== 'string') return;
  const atMost = list.length * sizeOf(wanted, MAX_STEPS);
  if (atMost > list.length) cost.charge(sizeOf(list, atMost));
}

/** Texts, lists and maps of different lengths are told apart at once. */
function chargeComparison(a: unknown, b: unknown): void {
  if (typeof a === 'string' && typeof b === 'string') return cost.charge(Math.min(a.length, b.length) / CHARACTERS_PER_STEP);
  if (a instanceof Decimal || b instanceof Decimal) return cost.charge(shallowSize(a) + shallowSize(b));
  if (typeof a !== 'object' || typeof b !== 'object') return;
  const [first, second] = [lengthOf(a), lengthOf(b)];
  cost.charge(first + second);
  if (first === second) cost.chargeValue(a);
}
