import type { ApplicationFailure } from '@temporalio/activity';
import { userFault } from '../../run/errors.ts';
import type { Metrics, ModelVersion, CurrentChampion } from './model-registry.ts';
import { findVersion, type ModelContext, type ModelParams, type Models, requireFiles, withModels } from './model-tasks.ts';
import { findUsableChampion } from './usable-champion.ts';

interface Params extends ModelParams {
  readonly version?: string;
  readonly promote_when?: string;
  readonly instead_of?: string;
}

/** Output of a `promote_model` task. */
export interface Promotion {
  readonly model: string;
  readonly version: string;
  readonly promoted: boolean;
  /** The champion before; null: there was none. */
  readonly previous: string | null;
  /** The champion afterwards, whether new or old, and the URI of its files; null: there is none. */
  readonly champion_version: string | null;
  readonly champion_uri: string | null;
  /** The reason, in one sentence. */
  readonly reason: string;
}

type GateResult = Pick<Promotion, 'promoted' | 'reason'>;

/**
 * Makes a version the champion, if it passes the gate against the current champion. If another promotion comes in between, the gate is
 * evaluated again against the new champion, so that a worse version never replaces a better one.
 */
export async function promote(ctx: ModelContext, params: Params): Promise<Promotion> {
  return withModels(ctx, params, async (models) => {
    const { model } = params;
    const { registry } = models;
    const candidate = await findVersion(models, model, params.version ?? '');
    const { version, uri } = candidate;
    const made = { model, version, promoted: true, champion_version: version, champion_uri: uri };
    for (;;) {
      ctx.signal.throwIfAborted();
      const current = await registry.champion(model);
      const now = current?.champion.version ?? null;
      if (now === version) {
        // The version may already be champion because an earlier attempt got this far.
        await requireFiles(models, candidate, ctx.signal);
        return { ...made, previous: current?.champion.previous ?? null, reason: 'it is the champion' };
      }
      const { promoted, reason } = await applyGate(ctx, models, params, candidate, current);
      if (!promoted) {
        const champion = now === null ? undefined : await registry.find(model, now);
        return { model, version, promoted, previous: now, champion_version: now, champion_uri: champion?.uri ?? null, reason };
      }
      await requireFiles(models, candidate, ctx.signal);
      const champion = { version, previous: now, promoted_by: ctx.pipelineRunId, promoted_at: new Date().toISOString() };
      if (await registry.crown(model, champion, current)) return { ...made, previous: now, reason };
    }
  });
}

async function applyGate(
  ctx: ModelContext,
  models: Models,
  params: Params,
  version: ModelVersion,
  current: CurrentChampion | undefined,
): Promise<GateResult> {
  const { model, promote_when: gate, instead_of: insteadOf } = params;
  const now = current?.champion.version ?? null;
  if (insteadOf !== undefined && insteadOf !== now) {
    return { promoted: false, reason: `the champion is ${now === null ? 'no version' : now} now, and not ${insteadOf}` };
  }
  if (gate === undefined) return { promoted: true, reason: 'no condition was asked for' };
  const evaluation = await models.registry.evaluation(model, version.version);
  // A trainer's own metrics do not count: they were measured on data that the model has seen.
  if (!evaluation)
    return { promoted: false, reason: `version ${version.version} was not measured: evaluate_model comes before promote_model` };
  const { metrics } = evaluation;
  if (!current) await refuseLostChampion(models, model);
  const comparable = await findUsableChampion(ctx, models, model, current);
  // If the champion is gone, its predecessor returns without having to beat itself.
  if (!comparable || comparable.version === version.version) return asFirst(ctx, gate, metrics, whyFirst(now, comparable, current));
  const champion =
    evaluation.champion?.version === comparable.version
      ? evaluation.champion.metrics
      : await measuredAs(models, model, comparable.version, evaluation.terms);
  if (!champion) {
    const reason = `${comparable.version} has become champion since, and was not measured on the same terms (data, program, parameters): run evaluate_model and promote_model again`;
    return { promoted: false, reason };
  }
  return gateResult(ctx.holds(gate, { metrics, champion }), gate, metrics, champion);
}

/**
 * Refuses a "first" champion if other versions were already compared with a champion: then the champion log and the alias are lost.
 * @throws ApplicationFailure `DataMismatch`
 */
async function refuseLostChampion({ registry }: Models, model: string): Promise<void> {
  for (const { version } of await registry.versions(model)) {
    const champion = (await registry.evaluation(model, version))?.champion;
    if (!champion) continue;
    throw userFault(
      'DataMismatch',
      `The log of champions of model '${model}' in ${registry.place} is lost: there is no champion, and version '${version}' was compared with the ` +
        `champion '${champion.version}'. \`sluice models show ${model}\` lists the versions; \`sluice models promote ${model} VERSION\` names the one in use.`,
    );
  }
}

/** @returns the metrics of a version on these terms; undefined if it was not measured on them */
async function measuredAs({ registry }: Models, model: string, version: string, terms: string | undefined): Promise<Metrics | undefined> {
  const evaluation = await registry.evaluation(model, version);
  return evaluation && terms !== undefined && evaluation.terms === terms ? evaluation.metrics : undefined;
}

/** Why a version has no champion to compare with. @param now the champion; null: there is none */
function whyFirst(now: string | null, comparable: ModelVersion | undefined, current: CurrentChampion | undefined): string {
  if (comparable) return `it is the champion before ${now ?? ''}, whose version or files are gone`;
  if (now !== null) return `the champion, ${now}, cannot be compared with, nor can those before it: their versions or files are gone`;
  return current ? 'the model has no champion, since it was cleared' : 'it is the first';
}

/** Without a champion to compare with, only the gate's conditions on the version itself count. */
function asFirst(ctx: ModelContext, gate: string, metrics: Metrics, why: string): GateResult {
  try {
    return gateResult(ctx.holds(gate, { metrics, champion: {} }), gate, metrics, {});
  } catch (error) {
    if ((error as ApplicationFailure).type !== 'InvalidParameters') throw error;
    // The gate reads the champion's metrics. Evaluate it against the version itself, to detect metrics that were not measured.
    ctx.holds(gate, { metrics, champion: metrics });
    return { promoted: true, reason: why };
  }
}

function gateResult(holds: boolean, gate: string, metrics: Metrics, champion: Metrics): GateResult {
  const values = `metrics ${JSON.stringify(metrics)}, champion ${JSON.stringify(champion)}`;
  return { promoted: holds, reason: `${gate}: ${holds ? 'holds' : 'does not hold'}, with ${values}` };
}
