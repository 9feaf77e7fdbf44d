import { Decimal } from '../values/decimal.ts';
import { Environment } from './cel.ts';
import { cost } from './cost.ts';
import { addDateFunctions } from './date-functions.ts';
import { addSqlFunctions } from './sql-name.ts';

/** Limits on expressions, which bound their cost. */
const LIMITS = { maxAstNodes: 400, maxDepth: 40, maxListElements: 200, maxMapEntries: 100, maxCallArguments: 8 };

const languages = new Map<string, Environment>();

/**
 * A CEL environment with Sluice's additions: arithmetic on mixed integers and floats, exact numbers beyond doubles (`decimal`),
 * `text.like("a%")`, `string(time)` and date functions.
 * @param known whether names must be declared: true in the compiler, false in a run, whose expressions are already checked
 * @param zone the IANA time zone of date functions
 */
export function expressionLanguage(known: boolean, zone = 'UTC'): Environment {
  const key = `${known} ${zone}`;
  let language = languages.get(key);
  if (!language) languages.set(key, (language = createLanguage(known, zone)));
  return language.clone();
}

function createLanguage(known: boolean, zone: string): Environment {
  const language = new Environment({ unlistedVariablesAreDyn: !known, homogeneousAggregateLiterals: false, limits: LIMITS });
  for (const [operator, apply] of Object.entries(ARITHMETIC)) {
    language.registerOperator(`int ${operator} double`, (a: bigint, b: number) => apply(Number(a), b));
    language.registerOperator(`double ${operator} int`, (a: number, b: bigint) => apply(a, Number(b)));
  }
  addDecimals(language);
  addDateFunctions(language, zone, known);
  addSqlFunctions(language);
  language.registerFunction('string.like(string): bool', (text: string, pattern: string) => like(text, pattern));
  language.registerFunction('string(google.protobuf.Timestamp): string', (time: Date) => time.toISOString().replace('.000Z', 'Z'));
  return language;
}

const ARITHMETIC: Readonly<Record<string, (a: number, b: number) => number>> = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '/': (a, b) => a / b,
};

/** Adds exact numbers of any size. Combined with a double, the double is read as its shortest text. Only quotients are doubles. */
function addDecimals(language: Environment): void {
  language.registerType('decimal', Decimal);
  for (const [left, right] of [
    ['decimal', 'decimal'],
    ['decimal', 'int'],
    ['int', 'decimal'],
    ['decimal', 'double'],
    ['double', 'decimal'],
  ] as const) {
    const operate = <T>(operator: string, returns: string, apply: (a: Decimal, b: Decimal) => T): void => {
      language.registerOperator(`${left} ${operator} ${right}: ${returns}`, (a: Operand, b: Operand) => apply(decimalOf(a), decimalOf(b)));
    };
    for (const [operator, holds] of Object.entries(COMPARISONS)) {
      // cel-js already swaps the operands of `==` itself.
      if (operator === '==' && right === 'decimal' && left !== 'decimal') continue;
      language.registerOperator(`${left} ${operator} ${right}`, (a: Operand, b: Operand) => compareOperands(a, b, holds));
    }
    operate('+', 'decimal', (a, b) => a.plus(b));
    operate('-', 'decimal', (a, b) => a.minus(b));
    operate('*', 'decimal', (a, b) => a.times(b));
    operate('/', 'double', (a, b) => {
      if (b.digits === 0n) throw new RangeError('division by zero');
      return a.toNumber() / b.toNumber();
    });
  }
  language.registerOperator('-decimal', (a: Decimal) => a.negated());
  language.registerFunction('string(decimal): string', (a: Decimal) => a.toString());
  language.registerFunction('double(decimal): double', (a: Decimal) => a.toNumber());
  language.registerFunction('int(decimal): int', (a: Decimal) => {
    const whole = a.truncated().int64;
    if (whole === undefined) throw new RangeError(`int(): ${a.toString()} exceeds 64 bits`);
    return whole;
  });
}

type Operand = Decimal | bigint | number;

function decimalOf(value: Operand): Decimal {
  return value instanceof Decimal ? value : Decimal.of(value);
}

function compareOperands(a: Operand, b: Operand, holds: (order: number) => boolean): boolean {
  const endless = [a, b].find((value) => typeof value === 'number' && !Number.isFinite(value));
  if (endless === undefined) return holds(decimalOf(a).compare(decimalOf(b)));
  // Every finite number compares the same way with infinity. NaN never compares as true.
  return holds(a === endless ? Number(endless) : -Number(endless));
}

const COMPARISONS: Readonly<Record<string, (order: number) => boolean>> = {
  '==': (order) => order === 0,
  '<': (order) => order < 0,
  '<=': (order) => order <= 0,
  '>': (order) => order > 0,
  '>=': (order) => order >= 0,
};

/**
 * SQL's LIKE: `%` matches any characters, `_` one. Backtracks at most to the last `%`, so its time is bounded by the product of the
 * lengths, and by the steps of an evaluation.
 */
export function like(text: string, pattern: string): boolean {
  cost.charge(text.length + pattern.length);
  const characters = [...text];
  const symbols = [...pattern];
  let at = 0;
  let position = 0;
  let percent = -1;
  let resume = 0;
  while (at < characters.length) {
    if (symbols[position] === '%') {
      percent = position++;
      resume = at;
    } else if (position < symbols.length && (symbols[position] === '_' || symbols[position] === characters[at])) {
      position++;
      at++;
    } else if (percent >= 0) {
      position = percent + 1;
      cost.charge(at - resume + 1);
      at = ++resume;
    } else {
      return false;
    }
  }
  while (symbols[position] === '%') position++;
  return position === symbols.length;
}
