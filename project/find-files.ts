import { existsSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { configFileIn, PACKAGE } from '../lib/roots.ts';
import { DEFINITION_KINDS } from './check-definition.ts';
import type { DefinitionKind } from './definitions.ts';

/** The files of a project that Sluice loads, relative to its root. */
export interface ProjectFiles {
  readonly config: string | undefined;
  readonly definitions: readonly { readonly kind: DefinitionKind; readonly file: string }[];
}

/** Finds the configuration of a project, and the files in its folders `tasks/`, `connections/`, `triggers/`, `channels/` and `resources/`. */
export function findFiles(root: string): ProjectFiles {
  const config = configFileIn(root);
  return {
    config: config && basename(config),
    // The clone of Sluice has folders of the same names, with the built-in definitions.
    definitions: root === PACKAGE ? [] : DEFINITION_KINDS.flatMap((kind) => filesIn(root, kind).map((file) => ({ kind, file }))),
  };
}

function filesIn(root: string, folder: string): string[] {
  if (!existsSync(join(root, folder))) return [];
  const names = readdirSync(join(root, folder)).filter((name) => /\.m?[jt]s$/.test(name) && !/\.(d|test)\.m?[jt]s$/.test(name));
  return names.sort().map((name) => `${folder}/${name}`);
}
