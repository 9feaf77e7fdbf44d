import { isMap, type Json } from '../../../workflows/plan/values/json.ts';
import { userFault } from '../../run/errors.ts';
import { type Champion, MAX_CHAMPIONS_READ } from './model-registry.ts';
import type { RegistryFiles } from './registry-files.ts';

/** A champion for some time; the first entry has number 1. */
export interface S3ChampionEntry {
  readonly number: number;
  readonly champion: Champion;
}

/** The stored form of an entry. Earlier releases wrote no number. */
type Written = Champion & { readonly number?: number };

/** The name of an entry's file: `00000001.json`. */
const NAME = /^(\d{8})\.json$/;

/**
 * The sequence of champions of a model, in S3.
 *
 * The files `<model>/champions/00000001.json`, `…2.json` and so on are the log, and the highest number is the current entry. A file is only
 * created, never overwritten, so one of several concurrent successors wins. `<model>/aliases/champion.json` is a copy of the newest entry
 * for services. It cannot be written in the same step: so each writer reads the log again after writing the alias, and each reader of the
 * champion repairs an alias that a killed worker left behind or that was lost. An alias that is not a copy of an entry was not written by
 * Sluice and is an error, which `sluice models` can repair.
 */
export class S3ChampionLog {
  readonly #files: RegistryFiles;
  readonly #folder: string;
  readonly #model: string;
  readonly #alias: string;

  /** @param folder of the model: `s3://models/recommendations/` */
  constructor(files: RegistryFiles, folder: string, model: string) {
    this.#files = files;
    this.#folder = `${folder}champions/`;
    this.#model = model;
    this.#alias = `${folder}aliases/champion.json`;
  }

  /** The number of the current entry; 0: there is none. */
  async latest(): Promise<number> {
    return (await this.#numbers()).at(-1) ?? 0;
  }

  /** The entries, newest first; unreadable ones are left out. */
  async history(): Promise<Champion[]> {
    const numbers = (await this.#numbers()).slice(-MAX_CHAMPIONS_READ).reverse();
    const found = await Promise.all(numbers.map((number) => this.#read(number)));
    return found.filter((champion) => champion !== undefined);
  }

  /**
   * The current entry, after repairing the alias.
   * @param exists whether the model has a version
   * @throws ApplicationFailure `DataMismatch`
   */
  async current(exists: (version: string) => Promise<boolean>): Promise<S3ChampionEntry | undefined> {
    for (;;) {
      const number = (await this.latest()) || (await this.#adopt(exists));
      if (number === 0) return undefined;
      const champion = await this.#read(number);
      if (!champion) throw this.#damaged(this.#file(number), 'is not an entry of the champion log of Sluice');
      if (await this.#settleAlias({ number, champion })) return { number, champion };
    }
  }

  /** Appends an entry, if `before` is still the current number. @returns false when another entry came first */
  async begin(champion: Champion, before: number): Promise<boolean> {
    const number = before + 1;
    if (!(await this.#files.write(this.#file(number), { ...champion, number }, undefined))) return false;
    await this.#moveAlias();
    return true;
  }

  /** Takes over the champion of an earlier release, which had no log. @returns the number of its entry; 0: there is none */
  async #adopt(exists: (version: string) => Promise<boolean>): Promise<number> {
    const found = await this.#files.readText(this.#alias);
    if (!found) return 0;
    const alias = read(found.text);
    if (!alias || alias.number !== undefined || alias.version === null || !(await exists(alias.version))) {
      throw this.#damaged(this.#alias, this.#why(alias, 'there is no log of champions beside it'));
    }
    await this.begin(alias, 0);
    return this.latest();
  }

  /**
   * Moves the alias to an entry if it is missing or behind.
   * @returns false when there is a newer entry by now
   * @throws ApplicationFailure `DataMismatch` when the alias was not written by Sluice
   */
  async #settleAlias(current: S3ChampionEntry): Promise<boolean> {
    const found = await this.#files.readText(this.#alias);
    if (!found) {
      if (current.champion.version !== null) await this.#moveAlias();
      return true;
    }
    const alias = read(found.text);
    const number = alias?.number ?? 1;
    if (alias && number === current.number && isSame(alias, current.champion)) return true;
    if (alias && number > current.number && (await this.latest()) > current.number) return false;
    const entry = alias && number < current.number ? await this.#read(number) : undefined;
    if (!alias || !entry || !isSame(alias, entry)) {
      throw this.#damaged(
        this.#alias,
        this.#why(
          alias,
          current.champion.version === null ? 'the log has no champion' : `the champion in the log is ${current.champion.version}`,
        ),
      );
    }
    await this.#moveAlias();
    return true;
  }

  /** Makes the alias a copy of the newest entry, whatever it contains; repeats until they match after a fresh read of the log. */
  async #moveAlias(): Promise<void> {
    for (;;) {
      const number = await this.latest();
      const champion = await this.#read(number);
      const found = await this.#files.readText(this.#alias);
      const alias = found && read(found.text);
      if (!champion || (alias?.number === number && isSame(alias, champion))) return;
      if (champion.version !== null) await this.#files.write(this.#alias, { ...champion, number }, found?.etag);
      else if (found) await this.#files.delete(this.#alias);
      else return;
    }
  }

  async #numbers(): Promise<number[]> {
    return (await this.#files.list(this.#folder)).flatMap((name) => NAME.exec(name)?.[1] ?? []).map(Number);
  }

  async #read(number: number): Promise<Champion | undefined> {
    const found = await this.#files.readText(this.#file(number));
    const written = found && read(found.text);
    if (!written) return undefined;
    const { number: own, ...champion } = written;
    return own === number ? champion : undefined;
  }

  #file(number: number): string {
    return `${this.#folder}${String(number).padStart(8, '0')}.json`;
  }

  #why(alias: Written | undefined, instead: string): string {
    return alias ? `names ${alias.version ?? 'no version'} as the champion, and ${instead}` : 'is not an alias written by Sluice';
  }

  #damaged(uri: string, what: string): Error {
    return userFault(
      'DataMismatch',
      `${uri} ${what}: the champion of model '${this.#model}' is unknown. \`sluice models show ${this.#model}\` lists its versions; ` +
        `\`sluice models promote ${this.#model} VERSION\` names the one in use, and writes the file again.`,
    );
  }
}

function isSame(a: Champion, b: Champion): boolean {
  return a.version === b.version && a.previous === b.previous && a.promoted_by === b.promoted_by;
}

/** @returns undefined if the text is not an entry in Sluice's format */
function read(text: string): Written | undefined {
  let value: Json;
  try {
    value = JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
  if (!isMap(value)) return undefined;
  const { version, previous, promoted_by: by, promoted_at: at, number } = value;
  const isName = (name: Json | undefined): boolean => name === null || (typeof name === 'string' && name !== '');
  const isWhole =
    isName(version) &&
    isName(previous) &&
    typeof by === 'string' &&
    (at === undefined || typeof at === 'string') &&
    (number === undefined || (Number.isSafeInteger(number) && Number(number) > 0));
  return isWhole ? (value as unknown as Written) : undefined;
}
