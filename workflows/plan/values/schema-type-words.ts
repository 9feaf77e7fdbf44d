const WORDS: Readonly<Record<string, string>> = {
  string: 'text',
  integer: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a map',
};

/** The `type` of a JSON Schema in words for analysts: `a whole number or text`. */
export function schemaTypeInWords(type: string | readonly string[]): string {
  return [type]
    .flat()
    .map((each) => WORDS[each] ?? each)
    .join(' or ');
}
