import type { TemplateKind } from './template-place.ts';
import type { TemplatePlace } from './template-place.ts';
import { type Environment, EvaluationError, ParseError, type ParseResult, TypeError as CelTypeError } from './cel.ts';
import { exactJsonText } from '../values/exact-json.ts';
import type { Json, JsonObject } from '../values/json.ts';
import { cost, MAX_STEPS, meter } from './cost.ts';
import { expressionLanguage } from './language.ts';
import { EVENT_META, RUN_NAMES } from './run-names.ts';
import { fromCel, type Shape, toCel } from './shape.ts';
import { hasDotSegment } from '../values/dot-segments.ts';
import { celSource } from './sql-name.ts';
import { renderSql, sqlValueOf } from './sql-template.ts';
import { type QuickCondition, quickCondition } from './quick-condition.ts';
import { type SyntaxFacts, syntaxFacts } from './syntax-tree.ts';
import { parseTemplate, type TemplatePart, wholeExpression } from './template.ts';

/** Thrown when an expression that passed compilation fails on the values of a run. */
export class ExpressionFailed extends Error {
  override readonly name = 'ExpressionFailed';
}

/** The values of the names in an expression, as JSON; dates are ISO 8601. */
export type Variables = Readonly<Record<string, Json | undefined>>;

interface Compiled {
  readonly run: ParseResult;
  readonly facts: SyntaxFacts;
}

/** Evaluates expressions that the compiler has checked. Uses no clock and no I/O: the same values give the same result. */
export class Evaluator {
  private readonly language: Environment;
  private readonly expressions = new Map<string, Compiled>();
  private readonly templates = new Map<string, readonly TemplatePart[]>();
  private readonly values = new WeakMap<object, unknown>();

  private readonly shapes: Readonly<Record<string, Shape>>;

  /**
   * @param shapes the types of names that were known at compile time
   * @param zone the IANA time zone of date functions: the plan's `dateZone`
   */
  constructor(shapes: Readonly<Record<string, Shape>> = {}, zone = 'UTC') {
    this.language = expressionLanguage(false, zone);
    this.shapes = { ...RUN_NAMES, event_meta: EVENT_META, ...shapes };
  }

  /**
   * Evaluates one expression.
   * @throws ExpressionFailed
   */
  evaluate(source: string, variables: Variables): Json {
    return this.valueOf(source, variables, fromCel);
  }

  /** Evaluates an expression and converts its CEL value with `convert`. @throws ExpressionFailed */
  private valueOf<T>(source: string, variables: Variables, convert: (value: unknown) => T): T {
    const { run, facts } = this.compiled(source);
    let value: T | undefined;
    try {
      value = cost.run(() => {
        const result: unknown = run(this.valuesOf(facts, variables));
        cost.chargeValue(result);
        return convert(result);
      });
    } catch (error) {
      throw failed(source, error);
    }
    if (value !== undefined) return value;
    throw new ExpressionFailed(
      `\`${source.trim()}\` would take too long: it needs more than ${MAX_STEPS.toLocaleString('en')} steps for these values. Use a task for work like this.`,
    );
  }

  /** The values that an expression reads, converted to CEL. */
  private valuesOf({ references }: SyntaxFacts, variables: Variables): Record<string, unknown> {
    const values: Record<string, unknown> = {};
    for (const { path } of references) {
      const [name = ''] = path;
      if (!(name in values) && variables[name] !== undefined) values[name] = this.converted(name, variables[name]);
    }
    return values;
  }

  /** A fast version of a condition that works on JSON, if the condition is simple enough: see quick-condition.ts. */
  quick(source: string): QuickCondition | undefined {
    return quickCondition(this.compiled(source).run.ast);
  }

  /** Whether a condition is true. @throws ExpressionFailed, also when the value is not a boolean */
  test(source: string, variables: Variables): boolean {
    const value = this.evaluate(source, variables);
    if (typeof value === 'boolean') return value;
    throw new ExpressionFailed(`\`${source.trim()}\` is ${exactJsonText(value)}, which is neither true nor false.`);
  }

  /**
   * Replaces the expressions in a string by their values. A string that is one expression becomes its value, with its type.
   * @throws ExpressionFailed
   */
  render(template: string, variables: Variables, kind: TemplateKind = 'value'): Json {
    let parts = this.templates.get(template);
    if (!parts) this.templates.set(template, (parts = parseTemplate(template)));
    const whole = kind === 'value' ? wholeExpression(parts) : undefined;
    if (whole) return this.evaluate(whole.source, variables);
    if (kind === 'sql' || kind === 'any-sql') {
      return renderSql(parts, {
        valueOf: ({ source }) => this.valueOf(source, variables, sqlValueOf),
        failed: ({ source }, error) => failed(source, error),
        isForMySQL: kind === 'any-sql',
      });
    }
    let text = '';
    for (const part of parts) {
      if (typeof part === 'string') {
        text += part;
        continue;
      }
      const value = this.evaluate(part.source, variables);
      try {
        text += plainText(value, kind);
      } catch (error) {
        throw failed(part.source, error);
      }
    }
    if (kind === 'url' && hasDotSegment(text)) {
      throw new ExpressionFailed(`\`${template}\` gives '${text.slice(0, 100)}': a part '.' or '..' would lead to another path.`);
    }
    return text;
  }

  /**
   * Renders the strings at `places` of `params`, and leaves everything else unchanged.
   * @throws ExpressionFailed
   */
  renderParams(params: JsonObject, places: readonly TemplatePlace[], variables: Variables): JsonObject {
    let rendered: Json = params;
    for (const { path, kind } of places) {
      if (kind !== 'expression') rendered = replaceAt(rendered, path, (text) => this.render(text, variables, kind));
    }
    return rendered as JsonObject;
  }

  /** The values that the expressions at `places` read, for a task that evaluates them itself; undefined if there are none. */
  namesRead(params: JsonObject, places: readonly TemplatePlace[], variables: Variables): JsonObject | undefined {
    const read: Record<string, Json> = {};
    let some = false;
    for (const { path, kind } of places) {
      if (kind !== 'expression') continue;
      some = true;
      for (const { path: names } of this.compiled(textAt(params, path)).facts.references) {
        const [name = ''] = names;
        if (variables[name] !== undefined) read[name] = variables[name];
      }
    }
    return some ? read : undefined;
  }

  /** Converts a value to CEL. Outputs are converted once, however many expressions read them. */
  private converted(name: string, value: Json | undefined): unknown {
    const known = typeof value === 'object' && value !== null ? this.values.get(value) : undefined;
    if (known !== undefined) return known;
    cost.chargeValue(value);
    const result = toCel(value, this.shapes[name] ?? 'dyn');
    if (typeof value === 'object' && value !== null) this.values.set(value, result);
    return result;
  }

  private compiled(source: string): Compiled {
    const known = this.expressions.get(source);
    if (known) return known;
    try {
      const run = this.language.parse(celSource(source));
      meter(run.ast);
      const compiled = { run, facts: syntaxFacts(run.ast) };
      this.expressions.set(source, compiled);
      return compiled;
    } catch (error) {
      throw failed(source, error);
    }
  }
}

function plainText(value: Json, kind: TemplateKind): string {
  if (value === null) throw new RangeError('null cannot be part of a text; provide a fallback, such as `x != null ? x : "none"`');
  const text = typeof value === 'object' ? exactJsonText(value) : String(value);
  return kind === 'url' ? encodeURIComponent(text) : text;
}

function textAt(value: Json | undefined, path: readonly (string | number)[]): string {
  let found = value;
  for (const step of path) found = (found as Readonly<Record<string | number, Json>> | null | undefined)?.[step];
  return String(found);
}

function replaceAt(value: Json | undefined, path: readonly (string | number)[], change: (text: string) => Json): Json {
  const [step, ...rest] = path;
  if (step === undefined) return change(String(value));
  if (Array.isArray(value)) return value.map((each: Json, index) => (index === step ? replaceAt(each, rest, change) : each));
  const object = (value ?? {}) as JsonObject;
  return { ...object, [step]: replaceAt(object[step], rest, change) };
}

function failed(source: string, error: unknown): ExpressionFailed {
  if (error instanceof ExpressionFailed) return error;
  const reason =
    error instanceof EvaluationError || error instanceof ParseError || error instanceof CelTypeError
      ? error.summary
      : error instanceof Error
        ? error.message
        : String(error);
  return new ExpressionFailed(`\`${source.trim()}\`: ${reason}`);
}
