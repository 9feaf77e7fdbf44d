import { exactJsonText } from '../../../workflows/plan/values/exact-json.ts';
import { isMap, type Json } from '../../../workflows/plan/values/json.ts';
import { RecordRefused } from './source-record.ts';

/** A name of XML, without characters that few readers accept. */
export const XML_NAME = /^[A-Za-z_][\w.-]*(?::[A-Za-z_][\w.-]*)?$/;

/** Control characters and others that XML 1.0 has no way to write. */
// eslint-disable-next-line no-control-regex -- these are the characters to find
const NOT_XML = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/;
/** Half of a character. */
const LONE_SURROGATE = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/;

/** The element of a record: maps as elements, lists as several of one name, `@name` as an attribute. @throws RecordRefused */
export function xmlElement(name: string, value: Json): string {
  if (!XML_NAME.test(name)) throw new RecordRefused(`'${name}' cannot be the name of an element`);
  if (value === null) return `<${name} xsi:nil="true"/>`;
  if (Array.isArray(value))
    return (value as readonly Json[]).map((each) => xmlElement(name, Array.isArray(each) ? exactJsonText(each) : each)).join('');
  if (!isMap(value)) return `<${name}>${escaped(typeof value === 'string' ? value : exactJsonText(value))}</${name}>`;
  const entries = Object.entries(value).filter((entry): entry is [string, Json] => entry[1] !== undefined);
  const attributes = entries
    .filter(([key]) => key.startsWith('@'))
    .map(([key, each]) => ` ${attributeName(key)}="${escaped(plain(each, key))}"`);
  const inside = entries
    .filter(([key]) => !key.startsWith('@'))
    .map(([key, each]) => (key === '#text' ? escaped(plain(each, key)) : xmlElement(key, each)));
  return `<${name}${attributes.join('')}>${inside.join('')}</${name}>`;
}

function attributeName(key: string): string {
  const name = key.slice(1);
  if (!XML_NAME.test(name)) throw new RecordRefused(`'${name}' cannot be the name of an attribute`);
  return name;
}

function plain(value: Json, key: string): string {
  if (typeof value === 'string') return value;
  if (value === null || Array.isArray(value) || isMap(value)) throw new RecordRefused(`'${key}' must be a text or a number`);
  return exactJsonText(value);
}

/** Line ends and tabs as references: readers of XML would turn them into others. */
function escaped(text: string): string {
  if (NOT_XML.test(text) || LONE_SURROGATE.test(text)) throw new RecordRefused('a text contains a character that XML cannot hold');
  return text.replace(/[&<>"\t\n\r]/g, (character) => `&#${character.charCodeAt(0)};`);
}
