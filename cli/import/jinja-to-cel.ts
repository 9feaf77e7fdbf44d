import { applyFilter, replaced } from './jinja-filters.ts';
import { amountsOf, dateField, dateMethod, type Evaluate, shifted, timeDelta } from './jinja-dates.ts';
import { JinjaLookups } from './jinja-lookups.ts';
import type { JinjaNames } from './jinja-names.ts';
import { type Arguments, type JinjaNode, NoEquivalent, noEqual, pathOf } from './jinja-syntax.ts';
import { any, asText, constant, day, isDate, later, operand, strftime, text, truth, type Value } from './jinja-values.ts';

const STRPTIME = /^(?:macros\.)?datetime(?:\.datetime)?\.strptime$/;

/**
 * Converts an expression to CEL.
 * @param set variables that the text has set before
 * @throws NoEquivalent if part of it has no equivalent in Sluice
 */
export function convertExpression(node: JinjaNode, names: JinjaNames, set: ReadonlyMap<string, Value>): Value {
  return new Converter(names, set).value(node);
}

class Converter {
  private readonly lookups: JinjaLookups;
  private readonly evaluate: Evaluate = (node) => this.value(node);

  constructor(
    private readonly names: JinjaNames,
    set: ReadonlyMap<string, Value>,
  ) {
    this.lookups = new JinjaLookups(names, set, this.evaluate);
  }

  value(node: JinjaNode): Value {
    const named = this.lookups.named(node);
    if (named) return named;
    switch (node.kind) {
      case 'literal':
        return constant(node.value);
      case 'not':
        return { cel: `!(${truth(this.value(node.of))})`, kind: 'boolean' };
      case 'negative': {
        const of = this.value(node.of);
        if (typeof of.constant === 'number') return constant(-of.constant);
        return { cel: `-${operand(of)}`, kind: of.kind === 'number' ? 'number' : noEqual() };
      }
      case 'choice':
        return this.choice(node);
      case 'operation':
        return this.operation(node.operator, node.left, node.right);
      case 'filter':
        return this.filter(node);
      case 'field':
        return this.field(this.value(node.of), node.name);
      case 'call':
        return this.call(node.of, node.arguments);
      default:
        throw new NoEquivalent();
    }
  }

  /** Converts `x if y else z`. With `dag_run.conf` as the condition, which is empty by default, it becomes a parameter with a default. */
  private choice({ condition, then, otherwise }: Extract<JinjaNode, { kind: 'choice' }>): Value {
    const asked = pathOf(condition)?.join('.');
    const given = pathOf(then);
    if (asked === 'dag_run' || asked === 'dag_run.conf') {
      if (given?.[0] === 'dag_run' && given[1] === 'conf' && given.length === 3)
        return this.lookups.withDefault('conf', given[2] ?? '', otherwise);
      return this.value(then);
    }
    const [yes, no] = [this.value(then), this.value(otherwise)];
    const kind = yes.kind === no.kind ? yes.kind : 'any';
    if (kind === 'any') throw new NoEquivalent();
    return { cel: `${truth(this.value(condition))} ? ${operand(yes)} : ${operand(no)}`, kind };
  }

  private operation(operator: string, left: JinjaNode, right: JinjaNode): Value {
    if (operator === 'or') {
      const call = left.kind === 'call' ? this.lookups.lookup(left.of, left.arguments) : undefined;
      const path = pathOf(left);
      const conf = path?.[0] === 'dag_run' && path[1] === 'conf' && path.length === 3 ? path[2] : undefined;
      if (call && !call.fallback) return this.lookups.withDefault(call.origin, call.name, right);
      if (conf !== undefined) return this.lookups.withDefault('conf', conf, right);
    }
    if (operator === 'or' || operator === 'and') {
      const [a, b] = [this.value(left), this.value(right)];
      const areTexts = [a, b].every(({ kind }) => kind === 'text' || kind === 'day');
      if (operator === 'or' && areTexts) return text(`${truth(a)} ? ${operand(a)} : ${operand(b)}`);
      if (a.kind !== 'boolean' || b.kind !== 'boolean') throw new NoEquivalent();
      return { cel: `${operand(a)} ${operator === 'or' ? '||' : '&&'} ${operand(b)}`, kind: 'boolean' };
    }
    if (operator === '+' || operator === '-') {
      const delta = timeDelta(right, this.evaluate);
      if (delta) return shifted(this.value(left), delta, operator === '-' ? '-' : '');
    }
    const [a, b] = [this.value(left), this.value(right)];
    if (['==', '!=', '<', '<=', '>', '>='].includes(operator)) {
      if (a.kind !== b.kind && a.kind !== 'any' && b.kind !== 'any') throw new NoEquivalent();
      return { cel: `${operand(a)} ${operator} ${operand(b)}`, kind: 'boolean' };
    }
    if (operator === '~' || (operator === '+' && [a, b].every(({ kind }) => kind === 'text' || kind === 'day'))) {
      return text(`${asText(a)} + ${asText(b)}`);
    }
    if (a.kind !== 'number' || b.kind !== 'number') throw new NoEquivalent();
    if (typeof a.constant === 'number' && typeof b.constant === 'number') {
      return constant(operator === '+' ? a.constant + b.constant : operator === '-' ? a.constant - b.constant : a.constant * b.constant);
    }
    return { cel: `${operand(a)} ${operator} ${operand(b)}`, kind: 'number' };
  }

  private filter({ of, name, arguments: given }: Extract<JinjaNode, { kind: 'filter' }>): Value {
    if (name !== 'default' && name !== 'd') return applyFilter(this.value(of), name, given, this.evaluate);
    // `default` applies to names that may be missing: only Variables and keys of `conf`, which become parameters.
    const path = pathOf(of);
    const [first, second, third] = path ?? [];
    const origin = first === 'var' ? 'variable' : first === 'dag_run' && second === 'conf' ? 'conf' : undefined;
    if (origin !== undefined && path?.length === 3) return this.lookups.withDefault(origin, third ?? '', given.inOrder[0]);
    const value = this.value(of);
    // With `true`, the default also replaces an empty text.
    if (given.inOrder.length > 1 && value.kind === 'text' && given.inOrder[0]) {
      const other = this.value(given.inOrder[0]);
      return { cel: `${operand(value)} != "" ? ${operand(value)} : ${asText(other)}`, kind: 'text' };
    }
    if (given.inOrder.length > 1 && !isDate(value)) throw new NoEquivalent();
    return value;
  }

  private field(value: Value, name: string): Value {
    if (!isDate(value)) {
      if (value.kind === 'any' && /^[A-Za-z_]\w*$/.test(name)) return any(`${value.cel}.${name}`);
      throw new NoEquivalent();
    }
    return dateField(value, name);
  }

  private call(of: JinjaNode, given: Arguments): Value {
    const path = pathOf(of)?.join('.') ?? '';
    const found = this.lookups.lookup(of, given);
    if (found) {
      const known = path === 'params.get' ? this.names.params.get(found.name) : undefined;
      return known ? { cel: `params.${known.name}`, kind: known.kind } : this.lookups.withDefault(found.origin, found.name, found.fallback);
    }
    const inOrder = given.inOrder;
    const argument = (at: number): unknown => (inOrder[at] ? this.value(inOrder[at]).constant : undefined);
    switch (path) {
      case 'macros.ds_add':
        return later(this.dayOf(inOrder[0]), amountsOf([['days', inOrder[1] ?? noEqual()]], this.evaluate));
      case 'macros.ds_format':
        return this.parsed(inOrder[0], argument(1), (read) => strftime(read, String(argument(2))));
      case 'ti.xcom_pull':
      case 'task_instance.xcom_pull':
        return this.lookups.pulled(given);
      case 'str':
        return text(asText(this.value(inOrder[0] ?? noEqual())));
    }
    if (STRPTIME.test(path)) return this.parsed(inOrder[0], argument(1), (read) => read);
    return this.method(of, given, argument);
  }

  /** A method call on a date or a text. */
  private method(of: JinjaNode, given: Arguments, argument: (at: number) => unknown): Value {
    if (of.kind !== 'field') throw new NoEquivalent();
    const value = this.value(of.of);
    if (value.kind === 'text' || value.kind === 'any' || (value.kind === 'day' && of.name === 'replace' && given.inOrder.length > 0)) {
      if (of.name === 'replace') return replaced(value, argument(0), argument(1));
      const method = { lower: 'lowerAscii', upper: 'upperAscii', strip: 'trim' }[of.name];
      if (method === undefined || value.kind === 'any') throw new NoEquivalent();
      return text(`${asText(value)}.${method}()`);
    }
    if (!isDate(value)) throw new NoEquivalent();
    return dateMethod(value, of.name, given, this.evaluate, this.names.timezone);
  }

  private dayOf(node: JinjaNode | undefined): Value {
    const value = this.value(node ?? noEqual());
    return value.kind === 'day' || value.kind === 'any' ? { ...value, kind: 'day' } : noEqual();
  }

  /** A text parsed as a date. */
  private parsed(node: JinjaNode | undefined, format: unknown, then: (read: Value) => Value): Value {
    const value = this.value(node ?? noEqual());
    if ((value.kind === 'day' || value.kind === 'any') && format === '%Y-%m-%d') return then({ ...value, kind: 'day' });
    if (value.cel === 'ds_nodash' && format === '%Y%m%d') return then(day('ds'));
    throw new NoEquivalent();
  }
}
