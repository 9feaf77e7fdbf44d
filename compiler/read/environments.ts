import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseDocument } from 'yaml';
import { isMap } from '../../workflows/plan/values/json.ts';
import { errorText } from '../../workflows/plan/values/error-text.ts';
import { nearest } from '../mistakes/diagnostic.ts';

/** The values of `{{ vars.… }}` in an environment such as `prod`. */
export interface PipelineEnvironment {
  readonly name: string;
  /** The file name as messages show it. */
  readonly file: string;
  readonly vars: ReadonlyMap<string, string | number | boolean>;
}

/** Thrown when the requested environment does not exist, or its file has a mistake. The message says what to do. */
export class EnvironmentNotUsable extends Error {
  override readonly name = 'EnvironmentNotUsable';
}

const FOLDER = 'environments';
const NAME = /^[a-z][a-z0-9_-]*$/;
const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** The names of the environments of a project: the files of `environments/`. @param root the folder of the project */
export function listEnvironments(root: string): string[] {
  try {
    return readdirSync(join(root, FOLDER))
      .flatMap((file) => /^(.*)\.yaml$/.exec(file)?.[1] ?? [])
      .filter((name) => NAME.test(name))
      .sort();
  } catch {
    return [];
  }
}

/**
 * Reads `environments/<name>.yaml` of a project.
 * @param root the folder of the project
 * @throws EnvironmentNotUsable
 */
export function readEnvironment(root: string, name: string): PipelineEnvironment {
  const file = `${FOLDER}/${name}.yaml`;
  const names = listEnvironments(root);
  if (!names.includes(name)) {
    const known = names.length === 0 ? `there is no ${FOLDER}/<name>.yaml in ${root}` : `the environments are ${names.join(', ')}`;
    const near = nearest(name, names);
    throw new EnvironmentNotUsable(`There is no environment '${name}': ${known}.${near === undefined ? '' : ` Did you mean '${near}'?`}`);
  }
  let value: unknown;
  try {
    const document = parseDocument(readFileSync(join(root, file), 'utf8'), { version: '1.2' });
    const [mistake] = document.errors;
    if (mistake) throw mistake;
    value = document.toJS();
  } catch (error) {
    throw new EnvironmentNotUsable(`${file} cannot be read: ${errorText(error)}`);
  }
  const vars = isMap(value) ? (value.vars ?? {}) : undefined;
  const others = isMap(value) ? Object.keys(value).filter((key) => key !== 'vars') : [];
  if (!isMap(vars) || others.length > 0)
    throw new EnvironmentNotUsable(
      `${file} must be a map with one key, \`vars\`, which is a map${others.length > 0 ? `; it has '${others.join("', '")}'` : ''}.`,
    );
  for (const [key, each] of Object.entries(vars)) {
    if (!VARIABLE.test(key)) throw new EnvironmentNotUsable(`${file}: '${key}' is not a name: use letters, digits and _.`);
    if (!['string', 'number', 'boolean'].includes(typeof each))
      throw new EnvironmentNotUsable(`${file}: '${key}' must be text, a number, true or false.`);
    if (typeof each === 'string' && /\{\{|[\r\n\0]/.test(each))
      throw new EnvironmentNotUsable(`${file}: '${key}' must be one line, without '{{': values are not evaluated.`);
  }
  return { name, file, vars: new Map(Object.entries(vars as Record<string, string | number | boolean>)) };
}
