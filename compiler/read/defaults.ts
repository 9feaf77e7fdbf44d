import type { JsonObject } from '../../workflows/plan/values/json.ts';
import type { Validator } from '../validate.ts';
import { parse } from './parse.ts';
import { Source } from './source.ts';

/** The file with defaults for the pipelines of its folder and the folders below it. */
export const DEFAULTS_FILE = 'defaults.yaml';

/** A `defaults.yaml` before it is parsed. */
export interface DefaultsFile {
  /** The file name as messages show it. */
  readonly file: string;
  readonly text: string;
  /** Why it was not read. */
  readonly refused?: { readonly code: 'SL103' | 'SL108'; readonly message: string };
}

/** A parsed `defaults.yaml`. */
export interface Defaults {
  /** With the mistakes in the file. */
  readonly source: Source;
  /** Empty if the file cannot be parsed. */
  readonly value: JsonObject;
}

/** Parses and validates `defaults.yaml` files, each once for all pipelines below it. */
export class FolderDefaults {
  private readonly known = new Map<DefaultsFile, Defaults>();

  constructor(private readonly validator: Pick<Validator, 'validateDefaults'>) {}

  /** @param files the nearest first */
  read(files: readonly DefaultsFile[]): readonly Defaults[] {
    return files.map((file) => {
      let defaults = this.known.get(file);
      if (!defaults) this.known.set(file, (defaults = this.parse(file)));
      return defaults;
    });
  }

  private parse({ file, text, refused }: DefaultsFile): Defaults {
    const source = new Source(file, text);
    if (refused) {
      source.reportAt(refused.code, 0, 1, refused.message);
      return { source, value: {} };
    }
    // A file without any keys has no defaults.
    if (text.split('\n').every((line) => /^\s*(?:#.*)?$/.test(line))) return { source, value: {} };
    const value = source.isolate(() => parse(source)) ?? {};
    source.isolate(() => this.validator.validateDefaults(source, value));
    return { source, value };
  }
}
