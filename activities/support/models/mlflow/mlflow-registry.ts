import { userFault } from '../../../run/errors.ts';
import {
  type Champion,
  type Evaluation,
  type Lineage,
  type Metrics,
  type ModelFiles,
  type ModelRegistry,
  type ModelVersion,
  type CurrentChampion,
  MAX_CHAMPIONS_READ,
  versionAt,
} from '../model-registry.ts';
import type { MlflowClient } from './mlflow-client.ts';
import { type MlflowVersion, searchVersions, tagOf, tagsOf } from './mlflow-versions.ts';
import { type MlflowChampionEntry, MlflowChampionLog } from './mlflow-champion-log.ts';
import { checkNames, findExperiment, recordEvaluation, recordTraining } from './training-run.ts';

/**
 * A registry in MLflow (tested with 2.22 and 3). Model files stay in S3; a version of the registered model has their URI as its source, and
 * everything that Sluice reads in tags that are written in the same transaction.
 *
 * - A version is identified by Sluice's name in the tag `sluice.version`, which is the same for every attempt of a task. If two attempts
 *   register at once, MLflow's lower number wins, and the other version is deleted.
 * - `<model>.champions` contains the sequence of champions: see mlflow-champion-log.ts. The alias `champion` is set afterwards, for
 * services
 *   that load `models:/<model>@champion`. It cannot be moved in the same step: so each writer reads the log again after moving the alias,
 *   and each reader of the champion repairs an alias that a killed worker left behind.
 */
export class MlflowRegistry implements ModelRegistry {
  readonly place: string;
  readonly #client: MlflowClient;

  constructor(client: MlflowClient) {
    this.place = client.url;
    this.#client = client;
  }

  async find(model: string, version: string): Promise<ModelVersion | undefined> {
    const found = await this.#find(model, version);
    return found && versionOf(model, found);
  }

  findAt(model: string, uri: string): Promise<ModelVersion | undefined> {
    return this.find(model, versionAt(uri));
  }

  async prepare(model: string): Promise<void> {
    await findExperiment(this.#client, model);
    const champion = (await this.champion(model))?.champion.version ?? null;
    if (champion === null || (await this.#find(model, champion))) return;
    const at = `${model} --registry-conn-id ${this.#client.connection}`;
    throw userFault(
      'DatasetNotFound',
      `Version '${champion}' of model '${model}', the champion, was deleted in ${this.place}: a new version could not be compared with it. ` +
        `\`sluice models rollback ${at}\` makes the one before it champion again; \`sluice models promote\` names any other, and \`sluice models clear\` none.`,
    );
  }

  async register(draft: Omit<ModelVersion, 'version'>): Promise<ModelVersion> {
    const { model, uri, metrics, lineage, files } = draft;
    const version: ModelVersion = { ...draft, version: versionAt(uri) };
    const known = await this.find(model, version.version);
    if (known) return known;
    checkNames(metrics);
    const run = await recordTraining(this.#client, version);
    await this.#client.askUnless('RESOURCE_ALREADY_EXISTS', 'POST registered-models/create', { name: model });
    const { model_version: own } = await this.#client.ask<{ model_version: MlflowVersion }>('POST model-versions/create', {
      name: model,
      source: uri,
      run_id: run,
      tags: tagsOf({
        [VERSION]: version.version,
        [METRICS]: JSON.stringify(metrics),
        [LINEAGE]: JSON.stringify(lineage),
        ...(files && { [FILES]: JSON.stringify(files) }),
      }),
    });
    const first = (await this.#find(model, version.version)) ?? own;
    if (first.version !== own.version) {
      await this.#client.askUnless('RESOURCE_DOES_NOT_EXIST', 'DELETE model-versions/delete', { name: model, version: own.version });
    }
    return versionOf(model, first);
  }

  async evaluation(model: string, version: string): Promise<Evaluation | undefined> {
    const found = await this.#find(model, version);
    const text = found && tagOf(found, EVALUATION);
    return text === undefined ? undefined : (JSON.parse(text) as Evaluation);
  }

  async saveEvaluation(model: string, version: string, evaluation: Evaluation): Promise<void> {
    checkNames(evaluation.metrics);
    const { version: number, run_id: run } = await this.#existing(model, version);
    if (run) await recordEvaluation(this.#client, run, evaluation);
    const value = JSON.stringify(evaluation);
    await this.#client.ask('POST model-versions/set-tag', { name: model, version: number, key: EVALUATION, value });
  }

  async models(): Promise<readonly string[]> {
    const names: string[] = [];
    for (let page = ''; ;) {
      const { registered_models: found = [], next_page_token: next = '' } = await this.#client.ask<{
        registered_models?: readonly { readonly name: string; readonly latest_versions?: readonly MlflowVersion[] }[];
        next_page_token?: string;
      }>('GET registered-models/search', { max_results: 100, ...(page !== '' && { page_token: page }) });
      // Skip models that others keep in the same MLflow.
      const own = found.filter(({ latest_versions: latest = [] }) => latest.some((version) => tagOf(version, VERSION) !== undefined));
      names.push(...own.map(({ name }) => name));
      if (next === '') return names.sort();
      page = next;
    }
  }

  async versions(model: string): Promise<readonly ModelVersion[]> {
    const versions: ModelVersion[] = [];
    for (let page = ''; ;) {
      const { versions: found, next } = await searchVersions(this.#client, model, {}, { newestFirst: true, page });
      versions.push(...found.filter((each) => tagOf(each, VERSION) !== undefined).map((each) => versionOf(model, each)));
      if (next === '') return versions;
      page = next;
    }
  }

  async champion(model: string): Promise<CurrentChampion | undefined> {
    const championLog = new MlflowChampionLog(this.#client, model);
    const entry = await championLog.current();
    if (!entry) {
      await this.#refuseAliasAlone(model, championLog);
      return undefined;
    }
    await this.#moveAlias(model, championLog, entry);
    return { champion: entry.champion, mark: String(entry.number) };
  }

  async history(model: string): Promise<readonly Champion[]> {
    return (await new MlflowChampionLog(this.#client, model).newest(MAX_CHAMPIONS_READ)).map(({ champion }) => champion);
  }

  async mark(model: string): Promise<string | undefined> {
    const entry = await new MlflowChampionLog(this.#client, model).current();
    return entry && String(entry.number);
  }

  async crown(model: string, champion: Champion, before: Pick<CurrentChampion, 'mark'> | undefined): Promise<boolean> {
    const championLog = new MlflowChampionLog(this.#client, model);
    const version = champion.version === null ? undefined : await this.#existing(model, champion.version);
    const entry = await championLog.begin(champion, version, Number(before?.mark ?? 0));
    if (entry) await this.#moveAlias(model, championLog, entry);
    return entry !== undefined;
  }

  /** @throws ApplicationFailure `DataMismatch` when the alias exists but its log is lost: then no version counts as "the first" */
  async #refuseAliasAlone(model: string, championLog: MlflowChampionLog): Promise<void> {
    const number = await this.#alias(model);
    // Read the log again: a promotion may have come in between.
    if (number === undefined || (await championLog.current()) !== undefined) return;
    throw userFault(
      'DataMismatch',
      `The alias '${CHAMPION_ALIAS}' of model '${model}' in ${this.place} is on version ${number}, and ${championLog.log}, the log of champions, has ` +
        `no entry: the champion is unknown. \`sluice models show ${model}\` lists the versions by Sluice's names; ` +
        `\`sluice models promote ${model} VERSION\` names the one in use.`,
    );
  }

  /** Moves the alias until it matches the current entry, read after the last move. */
  async #moveAlias(model: string, championLog: MlflowChampionLog, entry: MlflowChampionEntry): Promise<void> {
    for (let now = entry; (await this.#alias(model)) !== (now.version || undefined); now = (await championLog.current()) ?? now) {
      const alias = { name: model, alias: CHAMPION_ALIAS };
      const moved =
        now.version === ''
          ? await this.#client.askUnless('RESOURCE_DOES_NOT_EXIST', 'DELETE registered-models/alias', alias)
          : await this.#client.askUnless('RESOURCE_DOES_NOT_EXIST', 'POST registered-models/alias', { ...alias, version: now.version });
      // Someone deleted the version, so it cannot have an alias.
      if (!moved) return;
    }
  }

  async #alias(model: string): Promise<string | undefined> {
    const found = await this.#client.askUnless<{
      registered_model: { readonly aliases?: readonly { readonly alias: string; readonly version: string }[] };
    }>('RESOURCE_DOES_NOT_EXIST', 'GET registered-models/get', { name: model });
    return found?.registered_model.aliases?.find(({ alias }) => alias === CHAMPION_ALIAS)?.version;
  }

  async #find(model: string, version: string): Promise<MlflowVersion | undefined> {
    // Only valid version names may become part of a query.
    if (!/^[\w.-]+$/.test(version)) return undefined;
    return (await searchVersions(this.#client, model, { [VERSION]: version }, { most: 1 })).versions[0];
  }

  async #existing(model: string, version: string): Promise<MlflowVersion> {
    const found = await this.#find(model, version);
    if (found) return found;
    throw userFault(
      'DatasetNotFound',
      `Version '${version}' of model '${model}' is no longer in ${this.place}. Train it again, or name another.`,
    );
  }
}

const CHAMPION_ALIAS = 'champion';
const VERSION = 'sluice.version';
const METRICS = 'sluice.metrics';
const LINEAGE = 'sluice.lineage';
const FILES = 'sluice.files';
const EVALUATION = 'sluice.evaluation';

function versionOf(model: string, found: MlflowVersion): ModelVersion {
  const files = tagOf(found, FILES);
  return {
    model,
    version: tagOf(found, VERSION) ?? '',
    uri: found.source,
    ...(files !== undefined && { files: JSON.parse(files) as ModelFiles }),
    metrics: JSON.parse(tagOf(found, METRICS) ?? '{}') as Metrics,
    lineage: JSON.parse(tagOf(found, LINEAGE) ?? 'null') as Lineage,
  };
}
