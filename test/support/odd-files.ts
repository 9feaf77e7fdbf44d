import { drawing } from './bags.ts';
import { oddValue } from './odd-events.ts';

type Draw = ReturnType<typeof drawing>;

/** Values that break YAML readers. */
const VALUES = [
  ...[
    'null',
    '~',
    '',
    '0',
    '-0',
    '.nan',
    '.inf',
    '0o17',
    '1_000',
    '1e400',
    '9007199254740993',
    'yes',
    '"',
    "'",
    '|',
    '>',
    '- - -',
    '? ? ?',
  ],
  ...['&a [*a]', '*a', '&a 1', '<<: *a', '{<<: {a: 1}}', '!!binary x', '!!js/function x', '!!set {a, b}', '!x', '%YAML 9.9', '---', '...'],
  ...[
    '{{ ds }}',
    '"{{ }}"',
    '"{{ params.x }}"',
    '"{{ outputs.a.rows }}"',
    '"{{ 1/0 }}"',
    '"{{ event.a.b }}"',
    '"{{"',
    '"}}"',
    '"{{ conn.x.password }}"',
  ],
  ...[
    '"0 0 30 2 *"',
    '"@every 1ns"',
    '"* * * * * * *"',
    '"60 25 * * *"',
    '1h',
    '-1h',
    '99999999w',
    'PT0S',
    '"2026-02-30"',
    'Europe/Nowhere',
  ],
  ...[
    '__proto__',
    'constructor',
    'toString',
    '{__proto__: 1}',
    '{constructor: {prototype: 1}}',
    '"\\u0000"',
    '"\\u001b[2J"',
    '"\\ud800"',
    '"\\u202e"',
    '"\\x9b"',
  ],
  ...[
    '../../etc/passwd',
    's3://../x',
    'file:///etc/passwd',
    '//evil/x',
    '"%2e%2e/x"',
    '"\'; DROP TABLE x; --"',
    '[[[[[]]]]]',
    '{a: {b: {c: {}}}}',
    '[a, a, a]',
  ],
];

/**
 * Generates pipeline files: valid ones with modified lines, keys and values. Deterministic for each seed.
 * @param good files to start with
 */
export function oddFiles(seed: number, good: readonly string[]): () => string {
  const draw = drawing(seed);
  return () => {
    let text = good[draw(good.length)] ?? '';
    for (let changes = 1 + draw(4); changes > 0; changes--) text = changed(text, draw);
    return text;
  };
}

function changed(text: string, draw: Draw): string {
  const lines = text.split('\n');
  const at = draw(lines.length);
  const line = lines[at] ?? '';
  const value = (): string => (draw(4) === 0 ? oddValue(draw).slice(0, 20_000) : (VALUES[draw(VALUES.length)] ?? ''));
  switch (draw(9)) {
    case 0:
      return [...lines.slice(0, at), ...lines.slice(at + 1)].join('\n');
    case 1:
      return [...lines.slice(0, at), line, ...lines.slice(at)].join('\n');
    case 2:
      return [...lines.slice(0, at), `${/^\s*(- )?/.exec(line)?.[0] ?? ''}${value()}: ${value()}`, ...lines.slice(at)].join('\n');
    case 3:
      return [...lines.slice(0, at), ' '.repeat(draw(8)) + line.trimStart(), ...lines.slice(at + 1)].join('\n');
    case 4: {
      const from = draw(text.length + 1);
      return (
        text.slice(0, from) +
        ['"', "'", '{', '}', '[', ']', ':', '\t', '\u0000', '\ufeff', '\u2028', '&a ', '*a ', '#', '\r'][draw(15)] +
        text.slice(from + draw(3))
      );
    }
    case 5:
      return text.slice(0, draw(text.length + 1));
    case 6:
      return lines.map((each) => (draw(lines.length) === 0 ? each.replace(/[a-z_]+/, 'depends_on') : each)).join('\n');
    default:
      return [...lines.slice(0, at), line.replace(/(: ?)[^,}]*/, `$1${value().replaceAll('$', '$$$$')}`), ...lines.slice(at + 1)].join(
        '\n',
      );
  }
}
