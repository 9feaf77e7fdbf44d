import type { JsonObject } from '../../../../workflows/plan/values/json.ts';
import type { Champion } from '../model-registry.ts';
import type { MlflowClient } from './mlflow-client.ts';
import { type MlflowVersion, searchVersions, tagOf, tagsOf } from './mlflow-versions.ts';

/**
 * Who was champion of a model, one after the other.
 *
 * MLflow has no compare-and-set: whoever sets an alias or a tag overwrites what is there. What it does make sure of, by the primary key
 * (name, version) of its database, is that versions of a registered model are numbered one after the other, and that nobody gets the number
 * `n` before version `n - 1` is there for all to see; their tags come with them in one transaction. So a registered model is a log that
 * several can append to, in an order that MLflow decides. `<model>.champions` is that log:
 *
 * - Each of its versions is a reign, and says which reign it is to come **after** (its number; `0` for the first).
 * - Of several that come after the same reign, the one with the lowest number counts, and the others never have: that is the compare-and-set.
 *   Whoever has appended one looks which is the lowest, and takes its own away if it is another.
 * - A reign that counts never changes. So the reign of now is, among those with the highest `after`, the one with the lowest number.
 *
 * A worker that is killed leaves a reign that counts, or one that does not: both are seen by everybody in the same way. A request whose
 * answer is lost and that is sent again appends a second reign after the same one, which does not count.
 *
 * Needs MLflow on a database (SQLite, PostgreSQL, MySQL…), and reads that see what was written: no replica.
 */
export class MlflowChampionLog {
  readonly #client: MlflowClient;
  readonly #model: string;
  /** The registered model that is the log. */
  readonly log: string;

  constructor(client: MlflowClient, model: string) {
    this.#client = client;
    this.#model = model;
    // Models of Sluice have no dot in their names.
    this.log = `${model}.champions`;
  }

  /** The reign of now. */
  async current(): Promise<MlflowChampionEntry | undefined> {
    return (await this.newest(1))[0];
  }

  /** The reigns that count, the newest first, `most` of them. */
  async newest(most: number): Promise<MlflowChampionEntry[]> {
    const championLog: MlflowChampionEntry[] = [];
    let current: MlflowChampionEntry | undefined;
    for (let page = ''; ;) {
      const { versions, next } = await searchVersions(this.#client, this.log, {}, { newestFirst: true, page });
      for (const entry of versions.filter(isEntry).map(entryOf)) {
        // Older ones come after a reign that is older still.
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
   * Begins a reign, if `before` is still the one of now.
   * @param version the champion; undefined: the champion is cleared
   * @param before its number; 0: there was none
   * @returns undefined when another came after `before` first
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
      // MLflow takes no version without a source.
      source: version?.source ?? 's3://none/none',
      tags: tagsOf(tags),
    });
    const { versions } = await searchVersions(this.#client, this.log, { [AFTER]: String(before) }, { most: 1 });
    if (versions[0]?.version === own.version) return entryOf(own);
    await this.#client.askUnless('RESOURCE_DOES_NOT_EXIST', 'DELETE model-versions/delete', { name: this.log, version: own.version });
    return undefined;
  }
}

/** A champion for some time. */
export interface MlflowChampionEntry {
  readonly number: number;
  /** The number of the reign that it has ended; 0: there was none. */
  readonly after: number;
  readonly champion: Champion;
  /** MLflow's number of the champion; empty: there is none. */
  readonly version: string;
}

const AFTER = 'sluice.after';
const CHAMPION = 'sluice.champion';
const NUMBER = 'sluice.model_version';

/** A version that was made by hand is not a reign. */
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
