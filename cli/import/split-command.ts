/** A command as a list of words, or the shell feature that it needs: Sluice runs programs without a shell. */
export type CommandWords = { readonly words: readonly string[] } | { readonly shell: string };

/** An expression at the start of a text, including quotes. */
const EXPRESSION = /^\{\{ (?:[^"}]|"(?:[^"\\]|\\.)*")+ \}\}/;

/** Shell builtins: no program has these names. */
const BUILTINS: ReadonlySet<string> = new Set(
  `. : alias bg break case cd command continue coproc declare do elif else eval exec exit export fg fi for function getopts hash if jobs let
  local popd pushd read readonly return select set shift source then time trap type typeset ulimit umask unalias unset until wait while`.split(
    /\s+/,
  ),
);
const SYNTAX: Readonly<Record<string, string>> = {
  '|': 'a pipe',
  '&': "'&'",
  ';': "';'",
  '<': 'a redirect',
  '>': 'a redirect',
  '(': 'a subshell',
  ')': 'a subshell',
  $: 'a variable',
  '`': 'a command in a command',
  '*': 'a wildcard',
  '?': 'a wildcard',
  '[': 'a wildcard',
  '{': 'braces',
  '}': 'braces',
  '\n': 'more than one line',
};

/**
 * Splits a plain command into the words that a shell would pass to the program, or returns the shell feature that it needs. An expression
 * (`{{ ds }}`) stays one word, regardless of its value.
 */
export function splitCommand(text: string): CommandWords {
  const command = text.replace(/\\\n/g, ' ').trim();
  const words: string[] = [];
  let word: string | undefined;
  let quote = '';
  for (let at = 0; at < command.length; at++) {
    const character = command[at] ?? '';
    const expression = EXPRESSION.exec(command.slice(at, at + 2000))?.[0];
    if (expression !== undefined) {
      word = (word ?? '') + expression;
      at += expression.length - 1;
    } else if (quote === "'") {
      if (character === "'") quote = '';
      else word += character;
    } else if (quote === '"') {
      if (character === '"') quote = '';
      else if (character === '$' || character === '`') return { shell: SYNTAX[character] ?? character };
      else if (character === '\\' && /["\\$`]/.test(command[at + 1] ?? '')) word += command[++at] ?? '';
      else word += character;
    } else if (character === "'" || character === '"') {
      quote = character;
      word ??= '';
    } else if (character === '\\') {
      word = (word ?? '') + (command[++at] ?? '');
    } else if (character === ' ' || character === '\t') {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else if (Object.hasOwn(SYNTAX, character)) {
      return { shell: SYNTAX[character] ?? character };
    } else if (word === undefined && character === '~') {
      return { shell: "a home folder ('~')" };
    } else if (word === undefined && character === '#') {
      return { shell: 'a comment' };
    } else {
      word = (word ?? '') + character;
    }
  }
  if (quote !== '') return { shell: 'a quote that is never closed' };
  if (word !== undefined) words.push(word);
  const [program] = words;
  if (program === undefined || program === '') return { shell: 'no program' };
  if (/^[A-Za-z_]\w*\+?=/.test(program)) return { shell: 'a variable that is set' };
  if (program === '!' || BUILTINS.has(program)) return { shell: `'${program}', which is a shell keyword` };
  return { words };
}
