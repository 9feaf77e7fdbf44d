import { baseLanguage } from './expression-language.ts';
import { typeInWords } from './shapes.ts';

/** Names of cel-js for the pieces of an expression, as they are written. */
const PIECES: Readonly<Record<string, string>> = {
  EOF: 'the end',
  NUMBER: 'a number',
  STRING: 'a text',
  BOOLEAN: 'true or false',
  NULL: 'null',
  IDENTIFIER: 'a name',
  PLUS: "'+'",
  MINUS: "'-'",
  MULTIPLY: "'*'",
  DIVIDE: "'/'",
  MODULO: "'%'",
  EQ: "'=='",
  NE: "'!='",
  LT: "'<'",
  LE: "'<='",
  GT: "'>'",
  GE: "'>='",
  AND: "'&&'",
  OR: "'||'",
  NOT: "'!'",
  IN: "'in'",
  LPAREN: "'('",
  RPAREN: "')'",
  LBRACKET: "'['",
  RBRACKET: "']'",
  LBRACE: "'{'",
  RBRACE: "'}'",
  DOT: "'.'",
  COMMA: "','",
  COLON: "':'",
  QUESTION: "'?'",
};

const pieceInWords = (name: string): string => PIECES[name] ?? name.toLowerCase();

/** Translates a syntax error of cel-js, such as `Expected RBRACKET, got COLON`, into words for analysts. */
export function syntaxInWords(summary: string): string {
  const [, unexpected] = /^Unexpected token: (\w+)$/.exec(summary) ?? [];
  if (unexpected !== undefined) return `${pieceInWords(unexpected)} is not expected here`;
  const [, wanted, found] = /^Expected (\w+), got (\w+)$/.exec(summary) ?? [];
  if (wanted !== undefined && found !== undefined) return `${pieceInWords(wanted)} is expected here, not ${pieceInWords(found)}`;
  const [, character] = /^Unexpected character: '?(.+?)'?$/.exec(summary) ?? [];
  if (character !== undefined) return `'${character}' is not expected here`;
  const [, reserved] = /^Reserved identifier: (\w+)$/.exec(summary) ?? [];
  if (reserved !== undefined) return `'${reserved}' is a reserved word`;
  return /^Unterminated/.test(summary) ? 'a text is not closed by a quote' : summary;
}

/** A call that no function matches: `string.replace(string, string)`. */
export interface UnmatchedCall {
  readonly name: string;
  readonly message: string;
  /** How the function is called, if there is one of that name. */
  readonly usage?: string;
}

/** Reads a call from an error of cel-js; undefined for other errors. */
export function unmatchedCall(summary: string): UnmatchedCall | undefined {
  const [, receiver, name, given = ''] = /'(?:(.+)\.)?(\w+)\((.*)\)'$/.exec(summary) ?? [];
  if (name === undefined) return undefined;
  const known = baseLanguage()
    .getDefinitions()
    .functions.filter((each) => each.name === name);
  if (known.length === 0) return { name, message: `There is no function '${name}'.` };
  const types = given === '' ? [] : given.split(/, (?![^<]*>)/).map(typeInWords);
  const values = types.join(' and ');
  const message =
    receiver !== undefined
      ? `'${name}' does not work on ${typeInWords(receiver)}${values === '' ? '' : ` with ${values}`}.`
      : values === ''
        ? `'${name}' needs values.`
        : `'${name}' does not take ${values}.`;
  const usages = known.map(({ receiverType, params }) => {
    const inside = params.map(({ type }) => typeInWords(type)).join(', ');
    return `${receiverType === null ? '' : `${typeInWords(receiverType)}.`}${name}(${inside})`;
  });
  return {
    name,
    message,
    usage: `it takes: ${[...new Set(usages)].slice(0, 2).join(' or ')}`,
  };
}

/** Translates `Cannot index type 'string' with type 'int'`; undefined for other errors. */
export function indexInWords(summary: string): string | undefined {
  const [, type, by] = /^Cannot index type '(.+?)'(?: with type '(.+)')?$/.exec(summary) ?? [];
  if (type === undefined) return undefined;
  const words = typeInWords(type);
  return `${words.charAt(0).toUpperCase()}${words.slice(1)} has no ${by === 'int' ? 'elements with numbers' : 'fields'}.`;
}
