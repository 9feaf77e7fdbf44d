import { parse } from 'yaml';
import type { DescribingDocument, TaskType } from '../../activities/define-task.ts';
import { errorText } from '../../workflows/plan/values/error-text.ts';
import { isMap, type Json, type JsonObject } from '../../workflows/plan/values/json.ts';
import type { Code } from '../mistakes/codes.ts';
import { put } from './include-files.ts';
import type { ReadBeside } from './read-beside.ts';
import { type Path, type Source, YAML_OPTIONS } from './source.ts';
import { taskNodes } from '../resolve/task-node.ts';

/**
 * Replaces the parameters that a document beside the pipeline describes, such as `operation`, by what the document says about them. The key
 * that names the document is removed: tasks never see it.
 * @param readBeside reads a file; absent: no files can be read
 * @returns the file's value; mistakes are reported, and both keys omitted
 */
export function includeDocuments(
  source: Source,
  value: JsonObject,
  types: ReadonlyMap<string, Pick<TaskType, 'document'>>,
  readBeside?: ReadBeside,
): JsonObject {
  const parsed = new Map<string, Json>();
  let included = value;
  for (const { path, keys, type = '' } of taskNodes(value)) {
    const document = types.get(type)?.document;
    if (!document) continue;
    const about = [document.key, document.replaces, ...document.needed];
    if (about.every((key) => keys[key] === undefined)) continue;
    const read = readOne(source, { path, keys, document }, parsed, readBeside);
    const removed = read === undefined ? about : [document.key];
    const others = Object.fromEntries(Object.entries(keys).filter(([key]) => !removed.includes(key)));
    included = put(included, path, read === undefined ? others : { ...others, [document.replaces]: read }) as JsonObject;
  }
  return included;
}

/** What the document says about the parameter; undefined after reporting why it says nothing. */
function readOne(
  source: Source,
  {
    path,
    keys,
    document: { key, replaces, needed, read },
  }: { readonly path: Path; readonly keys: JsonObject; readonly document: DescribingDocument },
  parsed: Map<string, Json>,
  readBeside: ReadBeside | undefined,
): Json | undefined {
  const [file, given] = [keys[key], keys[replaces]];
  const fail = (code: Code, at: string, message: string, hint?: string): undefined => {
    source.report(code, [...path, at], message, hint);
    for (const each of [key, replaces]) source.expectNone([...path, each]);
    return undefined;
  };
  const [dependent] = needed.filter((each) => keys[each] !== undefined);
  if (file === undefined && given === undefined && dependent !== undefined)
    return fail('SL208', dependent, `'${dependent}' needs '${key}' and '${replaces}'.`);
  if (file === undefined) return fail('SL208', replaces, `'${replaces}' needs '${key}', the document that describes it.`);
  if (given === undefined) return fail('SL208', key, `'${key}' needs '${replaces}'.`);
  for (const each of [key, replaces]) {
    const text = keys[each];
    if (typeof text !== 'string' || text === '') return fail('SL203', each, `'${each}' must be text.`);
    if (text.includes('{{'))
      return fail(
        'SL508',
        each,
        `'${each}' does not accept expressions: the document is read when the pipeline is compiled.`,
        'write the value itself',
      );
  }
  if (!readBeside) return fail('SL113', key, `'${key}' needs a folder, but this pipeline is not read from one.`);
  const found = readBeside(String(file));
  if ('refused' in found) return fail('SL113', key, found.refused, found.hint);
  try {
    if (!parsed.has(found.file)) parsed.set(found.file, parse(found.text, YAML_OPTIONS) as Json);
  } catch (error) {
    return fail('SL115', key, `'${found.file}' is not valid YAML or JSON: ${errorText(error)}.`);
  }
  const content = parsed.get(found.file);
  if (!isMap(content)) return fail('SL115', key, `'${found.file}' is not a map.`);
  const said = read(content, String(given));
  return 'mistake' in said ? fail('SL115', replaces, `'${found.file}' cannot be used: ${said.mistake}.`, said.hint) : said.value;
}
