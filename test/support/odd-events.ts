import { drawing } from './bags.ts';

type Draw = ReturnType<typeof drawing>;

/** JSON values that have broken programs. */
const VALUES = [
  ...['null', 'true', 'false', '""', '"null"', '"true"', '"1"', '1', '0', '-0', '-0.0', '1.0', '1e400', '-1e400', '1e-400', '1E+2'],
  ...['9007199254740993', '-9007199254740993', '0.1', '1e999999999', '1e-999999999', '1e99999999999999999999', `1${'0'.repeat(400)}`],
  ...['"NaN"', '"Infinity"', '"-Infinity"', '"1e999"', '"0x10"', '"١٢"', '{"$number":"1"}', '{"$number":"1e999999999"}', '{"$number":1}'],
  ...['{"__proto__":{"a":1}}', '{"constructor":{"prototype":{"a":1}}}', '"__proto__"', '"constructor"', '"toString"', '{"toJSON":1}'],
  ...['"\\ud800"', '"\\udc00\\ud800"', '"a\\ud83d"', '"😀"', '"\\u0000"', '"\\u001b[31m"', '"\\u009b31m"', '"\\u202e"', '"\\u2028"'],
  ...['".."', '"."', '"../../x"', '"%2e%2e"', '"a/../b"', '"~"', '"~x~1"', '"a-0-1"', '" a "', '"\\n"', '"\\\\"', '"\'; DROP TABLE x; --"'],
  ...['"2026-01-01T00:00:00Z"', '"9999-12-31T23:59:60Z"', '"0000-00-00"', '"+275761-01-01T00:00:00Z"', '"1h"', '"-1ns"', '"99999999999h"'],
  ...['[]', '{}', '[[]]', '[null]', '{"":""}', '{"a":1,"a":2}', '[1,"1",1.0,true]', '"{{ event.a }}"', '"%"', '"(a+)+$"', '"a,b"'],
];
const NAMES = ['id', 'a', 'b', 'n', 't', 'text', 'tags', 'm', '__proto__', 'constructor', '', 'id', 'event', 'x y', '\u0000'];
/** One in this many values is large or deep. */
const LARGE = 1_500;

/** Generates events as bytes: mostly JSON objects with odd values, some deep, some large, some not JSON. Deterministic for each seed. */
export function oddEvents(seed: number): () => Buffer {
  const draw = drawing(seed);
  return () => {
    const text = Buffer.from(eventText(draw));
    return draw(50) === 0 ? spoilt(text, draw) : text;
  };
}

/** One value as JSON text. */
export function oddValue(draw: Draw): string {
  if (draw(LARGE) === 0) return largeValue(draw);
  if (draw(8) === 0) return `[${times(draw(6), () => oddValue(draw)).join(',')}]`;
  if (draw(8) === 0) return `{${times(draw(4), () => member(draw)).join(',')}}`;
  return VALUES[draw(VALUES.length)] ?? 'null';
}

function eventText(draw: Draw): string {
  if (draw(40) === 0)
    return ['', ' ', 'null', '1', '[]', '"x"', '{', '{"a":}', '\u0000', '\ufeff{}', 'NaN', '{"a":1}{"a":2}', "{'a':1}"][draw(13)] ?? '';
  const usual = draw(3) === 0 ? ['"n":1,"text":"abc","tags":[1,2],"id":"x","a":"b"'] : [];
  return `{${[...times(1 + draw(8), () => member(draw)), ...usual].join(',')}}`;
}

function member(draw: Draw): string {
  return `${JSON.stringify(NAMES[draw(NAMES.length)] ?? '')}:${oddValue(draw)}`;
}

function largeValue(draw: Draw): string {
  const size = 10 ** (2 + draw(4));
  const depth = Math.min(size, 20_000);
  switch (draw(8)) {
    case 0:
      return `${'['.repeat(depth)}${']'.repeat(depth)}`;
    case 1:
      return `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`;
    case 2:
      return `[${times(size, (n) => String(n)).join(',')}]`;
    case 3:
      return `{${times(size, (n) => `"k${n}":${n}`).join(',')}}`;
    case 4:
      return '7'.repeat(size);
    case 5:
      return `[${times(Math.min(size, 2_000), () => '"ab"').join(',')}]`;
    case 6:
      return `"${'\\u0000'.repeat(size / 10)}"`;
    default:
      return `"${'ab'.repeat(size)}"`;
  }
}

/** Bytes that are no longer valid UTF-8 or JSON. */
function spoilt(text: Buffer, draw: Draw): Buffer {
  const bytes = Buffer.from(text.subarray(0, draw(4) === 0 ? draw(text.length + 1) : text.length));
  for (let n = 0; n < 3 && bytes.length > 0; n++) bytes[draw(bytes.length)] = [0x00, 0xff, 0xc0, 0xed, 0x22, 0x5c, 0x7b][draw(7)] ?? 0;
  return bytes;
}

function times(count: number, make: (n: number) => string): string[] {
  return Array.from({ length: count }, (_, n) => make(n));
}
