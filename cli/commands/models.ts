import { userInfo } from 'node:os';
import { Command, Option } from 'commander';
import { findFileDamage } from '../../activities/support/models/model-files.ts';
import type { ModelVersion } from '../../activities/support/models/model-registry.ts';
import { requireFiles } from '../../activities/support/models/model-tasks.ts';
import { findPreviousChampion } from '../../activities/support/models/usable-champion.ts';
import { EXIT } from '../../lib/exit-code.ts';
import { formatTable } from '../../lib/table.ts';
import { CommandError, outputOption, type OutputOptions, print, say } from '../command-context.ts';
import { championOf, type ChampionState } from '../models/champion-state.ts';
import { findPlaces, type OpenPlace, placeOf, type PlaceOptions, withPlace } from '../models/places.ts';
import { formatModel, formatVersion } from '../models/format.ts';

/** `sluice models`: lists model versions and their champions, and promotes versions. */
export const command = new Command('models')
  .description('List and manage trained models: their versions, and the champion, which is the version in use.')
  .addHelpText(
    'after',
    `
Examples:
  sluice models list
  sluice models show recommendations
  sluice models promote recommendations 20240101T000000Z-1a2b3c4d
  sluice models rollback recommendations --registry-conn-id mlflow_default

Sluice finds models through pipelines/. For a model that no pipeline trains, pass its location as options.`,
  );

const placed = (made: Command): Command =>
  made
    .option('--store <uri>', 'where model files are stored, such as s3://models')
    .option('--aws-conn-id <name>', 'connection to the store')
    .option('--registry-conn-id <name>', 'connection to the MLflow registry; default: the registry is in the store')
    .addOption(outputOption());

const asOption = (): Option => new Option('--as <name>', 'who makes the request').default(userInfo().username);

type Options = OutputOptions & PlaceOptions;

placed(command.command('list'))
  .description('List models and their champions.')
  .action(async (options: Options) => {
    const rows: (ChampionState & { readonly model: string; readonly versions: number; readonly registry: string })[] = [];
    for (const place of await findPlaces(options)) {
      await withPlace(place, async ({ models }, signal) => {
        const { registry } = models;
        for (const model of await registry.models()) {
          const versions = (await registry.versions(model)).length;
          rows.push({ model, ...(await championOf(models, model, signal)), versions, registry: registry.place });
        }
      });
    }
    const lines = rows.map(({ model, champion, problem, versions, registry }) => [
      model,
      problem === undefined ? (champion?.version ?? 'none') : `? ${champion?.version ?? ''}`.trim(),
      champion?.promoted_at ?? '',
      champion?.promoted_by ?? '',
      String(versions),
      registry,
    ]);
    print(
      options,
      rows,
      rows.length === 0
        ? 'There are no models.'
        : formatTable(['MODEL', 'CHAMPION', 'SINCE', 'PROMOTED BY', 'VERSIONS', 'REGISTRY'], lines),
    );
    for (const { model, problem } of rows) {
      if (problem === undefined) continue;
      say(`${model}: ${problem}`);
      process.exitCode = EXIT.failed;
    }
  });

placed(command.command('show'))
  .description('Show one model: its champion, earlier champions, and versions with their metrics; or one version and its lineage.')
  .argument('<model>', 'the model name, as `sluice models list` shows it')
  .argument('[version]', 'a version of the model')
  .action(async (model: string, version: string | undefined, options: Options) => {
    await withPlace(await placeOf(model, options), async ({ models }, signal) => {
      const { registry, storage } = models;
      if (version !== undefined) {
        const found = await requireVersion({ models }, model, version);
        const [evaluation = null, damage] = [await registry.evaluation(model, version), await findFileDamage(storage, found, signal)];
        const shown = { ...found, evaluation, files_are: damage === undefined ? 'whole' : damage };
        print(options, shown, formatVersion(shown));
        return;
      }
      const versions = await Promise.all(
        (await registry.versions(model)).map(async (each) => ({
          ...each,
          evaluation: (await registry.evaluation(model, each.version)) ?? null,
        })),
      );
      const state = await championOf(models, model, signal);
      if (versions.length === 0 && !state.champion) {
        throw new CommandError(`Model '${model}' does not exist in ${registry.place}. \`sluice models list\` lists all models.`);
      }
      const shown = { model, registry: registry.place, ...state, history: await registry.history(model), versions };
      print(options, shown, formatModel(shown));
      if (state.problem === undefined) return;
      say(state.problem);
      process.exitCode = EXIT.failed;
    });
  });

placed(command.command('promote'))
  .description('Make a version the champion, regardless of its metrics. Its files must be complete.')
  .argument('<model>', 'the model name, as `sluice models list` shows it')
  .argument('<version>', 'the version, as `sluice models show` lists it')
  .addOption(asOption())
  .action(async (model: string, version: string, { as: by, ...options }: Options & { readonly as: string }) => {
    await withPlace(await placeOf(model, options), async (open, signal) => {
      const found = await requireVersion(open, model, version);
      await requireFiles(open.models, found, signal);
      await makeChampion(open, model, version, by, options, signal);
    });
  });

placed(command.command('rollback'))
  .description('Undo the last promotion: the previous champion with complete files becomes the champion again.')
  .argument('<model>', 'the model name, as `sluice models list` shows it')
  .addOption(asOption())
  .action(async (model: string, { as: by, ...options }: Options & { readonly as: string }) => {
    await withPlace(await placeOf(model, options), async (open, signal) => {
      const earlier = await findPreviousChampion(open.models, model, signal);
      if (typeof earlier === 'string') throw new CommandError(earlier);
      await makeChampion(open, model, earlier.version, by, options, signal);
    });
  });

placed(command.command('clear'))
  .description('Remove the champion of a model: the next evaluated version is promoted as the first. No version is deleted.')
  .argument('<model>', 'the model name, as `sluice models list` shows it')
  .addOption(asOption())
  .action(async (model: string, { as: by, ...options }: Options & { readonly as: string }) => {
    await withPlace(await placeOf(model, options), async (open, signal) => {
      const { champion, problem } = await championOf(open.models, model, signal);
      if (problem === undefined && (champion?.version ?? null) === null) throw new CommandError(`Model '${model}' has no champion.`);
      await makeChampion(open, model, null, by, options, signal);
    });
  });

/** The last request wins: it also replaces a champion that was promoted in the meantime. */
async function makeChampion(
  { models }: OpenPlace,
  model: string,
  version: string | null,
  by: string,
  options: Options,
  signal: AbortSignal,
): Promise<void> {
  const { registry } = models;
  for (;;) {
    const mark = await registry.mark(model);
    const { champion, problem } = await championOf(models, model, signal);
    const previous = champion?.version ?? null;
    if (previous === version && problem === undefined) {
      say(`Version ${version ?? ''} is already the champion of ${model}.`);
      print(options, { model, champion: version, previous: champion?.previous ?? null }, version ?? '');
      return;
    }
    const next = { version, previous, promoted_by: by, promoted_at: new Date().toISOString() };
    if (!(await registry.crown(model, next, mark === undefined ? undefined : { mark }))) continue;
    say(
      version === null
        ? `Model ${model} has no champion now; the previous champion was ${previous ?? 'none'}.`
        : `Version ${version} is now the champion of ${model}; the previous champion was ${previous ?? 'none'}. Notify services that do not read the registry.`,
    );
    print(options, { model, champion: version, previous }, version ?? '');
    return;
  }
}

/** @throws CommandError that lists the newest versions */
async function requireVersion({ models: { registry } }: Pick<OpenPlace, 'models'>, model: string, version: string): Promise<ModelVersion> {
  const found = await registry.find(model, version);
  if (found) return found;
  const newest = (await registry.versions(model)).slice(0, 5).map((each) => each.version);
  const there = newest.length === 0 ? 'it has none' : `the newest are ${newest.join(', ')}`;
  throw new CommandError(`Model '${model}' has no version '${version}' in ${registry.place}: ${there}.`);
}
