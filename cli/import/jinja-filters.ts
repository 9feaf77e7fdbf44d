import { type Evaluate, ISO } from './jinja-dates.ts';
import { type Arguments, NoEquivalent } from './jinja-syntax.ts';
import { asText, formatted, text, type Value } from './jinja-values.ts';

/** `value | name(…)`. */
export function applyFilter(value: Value, name: string, { inOrder }: Arguments, evaluate: Evaluate): Value {
  switch (name) {
    case 'ds':
      return formatted(value, 'yyyy-MM-dd');
    case 'ds_nodash':
      return formatted(value, 'yyyyMMdd');
    case 'ts':
      return formatted(value, ISO);
    case 'ts_nodash':
      return formatted(value, "yyyyMMdd'T'HHmmss");
    case 'string':
    case 'safe':
    case 'e':
      return text(asText(value));
    case 'int':
      return value.kind === 'number' ? value : { cel: `int(${value.cel})`, kind: 'number' };
    case 'lower':
      return text(`${asText(value)}.lowerAscii()`);
    case 'upper':
      return text(`${asText(value)}.upperAscii()`);
    case 'trim':
      return text(`${asText(value)}.trim()`);
    case 'replace': {
      const [from, to] = inOrder.map((each) => evaluate(each).constant);
      return replaced(value, from, to);
    }
    default:
      throw new NoEquivalent();
  }
}

/** A text with one part replaced. */
export function replaced(value: Value, from: unknown, to: unknown): Value {
  if (value.cel === 'ds' && from === '-' && to === '') return text('ds_nodash');
  if (typeof from !== 'string' || typeof to !== 'string') throw new NoEquivalent();
  return text(`${asText(value)}.split(${JSON.stringify(from)}).join(${JSON.stringify(to)})`);
}
