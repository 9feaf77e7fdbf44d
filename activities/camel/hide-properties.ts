/** Values that are shorter, such as numbers of ports, are not secrets. In characters. */
const SHORTEST = 6;

/** @param properties a file of Java properties @returns a function that hides their values in a text; call it before the text is cut */
export function hiderOf(properties: string): (text: string) => string {
  const values = properties.split('\n').flatMap((line) => {
    const [, value = ''] = /^\s*[^#!\s=:][^=:]*[=:]\s*(.*?)\s*$/.exec(line) ?? [];
    const read = unescaped(value);
    return [value, read].filter((each) => each.length >= SHORTEST);
  });
  // Long ones first: one may contain another.
  const hidden = values.sort((a, b) => b.length - a.length);
  return (text) => hidden.reduce((shown, secret) => shown.replaceAll(secret, '***'), text);
}

/** A value as Java reads it: `\\` and `\u003d` are escapes. */
function unescaped(value: string): string {
  return value.replace(/\\(?:u([0-9a-fA-F]{4})|(.))/g, (_, code: string | undefined, character: string | undefined) =>
    code === undefined ? (ESCAPES[character ?? ''] ?? character ?? '') : String.fromCharCode(parseInt(code, 16)),
  );
}

const ESCAPES: Readonly<Record<string, string>> = { t: '\t', n: '\n', r: '\r', f: '\f' };
