import type { JsonObject } from '../../../../workflows/plan/values/json.ts';
import type { Champion } from '../model-registry.ts';
import type { MlflowClient } from './mlflow-client.ts';
import { type MlflowVersion, searchVersions, tagOf, tagsOf } from './mlflow-versions.ts';

/**
 * The sequence of champions of a model.
 *
 * MLflow has no compare-and-set: setting an alias or a tag overwrites it. But the primary key (name, version) of its database guarantees
 * that versions of a registered model are numbered consecutively, and that version `n` cannot be created before version `n - 1` is visible
 * to everyone; tags are written in the same transaction. So a registered model is an append-only log for several writers, in an order that
 * MLflow decides. `<model>.champions` is that log:
 *
 * - Each of its versions is an entry, and names the entry that it follows, its **after** (that entry's number; `0` for the first).
 * - Of several entries with the same `after`, only the one with the lowest number is valid: this is the compare-and-set. A writer checks
 *   after appending which number is the lowest, and deletes its own entry if it lost.
 * - A valid entry never changes. So the current entry has the highest `after`, and the lowest number among those.
 *
 * A killed worker leaves an entry that is valid or not, and all readers agree on which. A request that is sent again because its answer was
 * lost appends a second entry with the same `after`, which is not valid.
 *
 * Requires MLflow on a database (SQLite, PostgreSQL, MySQL…), and reads that see earlier writes: no replica.
 */
export class MlflowChampionLog {
  readonly #client: MlflowClient;
  readonly #model: string;
  /** The registered model that serves as the log. */
  readonly log: string;

  constructor(client: MlflowClient, model: string) {
    this.#client = client;
    this.#model = model;
    // Sluice's model names contain no dot.
    this.log = `${model}.champions`;
  }

  /** The current entry. */
  async current(): Promise<MlflowChampionEntry | undefined> {
    return (await this.newest(1))[0];
  }

  /** The valid entries, newest first, at most `most` of them. */
  async newest(most: number): Promise<MlflowChampionEntry[]> {
    const championLog: MlflowChampionEntry[] = [];
    let current: MlflowChampionEntry | undefined;
    for (let page = ''; ;) {
      const { versions, next } = await searchVersions(this.#client, this.log, {}, { newestFirst: true, page });
      for (const entry of versions.filter(isEntry).map(entryOf)) {
        // The `after` of older entries is lower still.
        if (current && entry.number <= current.after) {
          championLog.push(current);
          if (championLog.length === most) return championLog;
          current = entry;
        } else if (!current || entry.after >= current.after) current = entry;
      }
      if (next === '') return current ? [...championLog, current] : championLog;
      page = next;
    }
  }

  /**
   * Appends an entry, if `before` is still the current one.
   * @param version the champion; undefined: the champion is cleared
   * @param before number of the current entry; 0: there is none
   * @returns undefined when another entry followed `before` first
   */
  async begin(champion: Champion, version: MlflowVersion | undefined, before: number): Promise<MlflowChampionEntry | undefined> {
    if (before === 0) {
      await this.#client.askUnless('RESOURCE_ALREADY_EXISTS', 'POST registered-models/create', {
        name: this.log,
        description:
          `Who was champion of ${this.#model}, one after the other: sluice.champion of the newest is in use, and so is the alias champion of ` +
          `${this.#model}. Sluice keeps it: change nothing here, promote instead.`,
      });
    }
    const tags: JsonObject = { [AFTER]: String(before), [CHAMPION]: JSON.stringify(champion), [NUMBER]: version?.version ?? '' };
    const { model_version: own } = await this.#client.ask<{ model_version: MlflowVersion }>('POST model-versions/create', {
      name: this.log,
      // MLflow requires a source for every version.
      source: version?.source ?? 's3://none/none',
      tags: tagsOf(tags),
    });
    const { versions } = await searchVersions(this.#client, this.log, { [AFTER]: String(before) }, { most: 1 });
    if (versions[0]?.version === own.version) return entryOf(own);
    await this.#client.askUnless('RESOURCE_DOES_NOT_EXIST', 'DELETE model-versions/delete', { name: this.log, version: own.version });
    return undefined;
  }
}

/** One entry of the log: the champion for some time. */
export interface MlflowChampionEntry {
  readonly number: number;
  /** The number of the entry that it follows; 0: it is the first. */
  readonly after: number;
  readonly champion: Champion;
  /** MLflow's version number of the champion; empty: there is none. */
  readonly version: string;
}

const AFTER = 'sluice.after';
const CHAMPION = 'sluice.champion';
const NUMBER = 'sluice.model_version';

/** A version that someone created by hand is not an entry. */
function isEntry(version: MlflowVersion): boolean {
  return tagOf(version, AFTER) !== undefined;
}

function entryOf(version: MlflowVersion): MlflowChampionEntry {
  return {
    number: Number(version.version),
    after: Number(tagOf(version, AFTER)),
    champion: JSON.parse(tagOf(version, CHAMPION) ?? 'null') as Champion,
    version: tagOf(version, NUMBER) ?? '',
  };
}
