import { Environment } from './cel.ts';

/** Expressions are short: a limit keeps their cost bounded, whatever is typed. */
const LIMITS = { maxAstNodes: 400, maxDepth: 40, maxListElements: 200, maxMapEntries: 100, maxCallArguments: 8 };

/**
 * A CEL environment with what Sluice adds to the language: whole numbers and fractions mix in arithmetic, `text.like("a%")` and `string(time)`.
 * @param known whether names must be declared: so when a file is compiled, not when a run evaluates what has been checked
 */
export function expressionLanguage(known: boolean): Environment {
  const language = new Environment({ unlistedVariablesAreDyn: !known, homogeneousAggregateLiterals: false, limits: LIMITS });
  for (const [operator, apply] of Object.entries(ARITHMETIC)) {
    language.registerOperator(`int ${operator} double`, (a: bigint, b: number) => apply(Number(a), b));
    language.registerOperator(`double ${operator} int`, (a: number, b: bigint) => apply(a, Number(b)));
  }
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

/**
 * SQL's LIKE: `%` stands for any characters, `_` for one. Never goes back further than to the last `%`: its time is bounded by the product
 * of the lengths.
 */
export function like(text: string, pattern: string): boolean {
  const characters = [...text];
  const wanted = [...pattern];
  let at = 0;
  let position = 0;
  let percent = -1;
  let resume = 0;
  while (at < characters.length) {
    if (wanted[position] === '%') {
      percent = position++;
      resume = at;
    } else if (position < wanted.length && (wanted[position] === '_' || wanted[position] === characters[at])) {
      position++;
      at++;
    } else if (percent >= 0) {
      position = percent + 1;
      at = ++resume;
    } else {
      return false;
    }
  }
  while (wanted[position] === '%') position++;
  return position === wanted.length;
}
