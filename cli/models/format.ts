import type { Champion, Evaluation, Metrics, ModelVersion } from '../../activities/support/models/model-registry.ts';
import { formatTable } from '../../lib/table.ts';
import type { ChampionState } from './champion-state.ts';

type MeasuredVersion = ModelVersion & { readonly evaluation: Evaluation | null };

/** Formats a model for `sluice models show`. */
export function formatModel({
  model,
  registry,
  champion,
  history,
  versions,
}: ChampionState & {
  readonly model: string;
  readonly registry: string;
  readonly history: readonly Champion[];
  readonly versions: readonly MeasuredVersion[];
}): string {
  const parts = [
    `${model} in ${registry}: ${typeof champion?.version === 'string' ? `the champion is ${champion.version}` : 'no champion'}`,
    formatTable(
      ['VERSION', 'MEASURED', 'TRAINED BY'],
      versions.map(({ version, evaluation, lineage }) => [
        version,
        evaluation ? metricsText(evaluation.metrics) : 'not measured',
        lineage.pipeline_run,
      ]),
    ),
  ];
  if (history.length > 0) {
    parts.push(
      formatTable(
        ['CHAMPION', 'SINCE', 'PROMOTED BY'],
        history.map(({ version, promoted_at: at, promoted_by: by }) => [version ?? 'none', at ?? '', by]),
      ),
    );
  }
  return parts.join('\n\n');
}

/** Formats one version for `sluice models show`. */
export function formatVersion({
  model,
  version,
  uri,
  metrics,
  lineage,
  evaluation,
  files_are: files,
}: MeasuredVersion & { readonly files_are: string }): string {
  const { pipeline_run: run, task, plan_hash: plan, data_interval: interval, datasets, trainer, params } = lineage;
  return formatTable(
    ['VERSION', version],
    [
      ['model', model],
      ['files', `${uri} ${files}`],
      ['self-reported', metricsText(metrics)],
      ['measured', evaluation ? metricsText(evaluation.metrics) : 'not measured'],
      ['measured on', evaluation?.data ?? ''],
      ['trained by', `${run} ${task}`],
      ['trained on', datasets.map(({ uri: place, rows }) => `${place} (${rows} rows)`).join(', ')],
      ['data interval', `${interval.start}/${interval.end}`],
      ['trainer', [trainer.program, trainer.sha256 ?? ''].join(' ').trim()],
      ['parameters', JSON.stringify(params)],
      ['plan', plan],
    ],
  );
}

function metricsText(metrics: Metrics): string {
  return Object.entries(metrics)
    .map(([name, value]) => `${name}=${value}`)
    .join(', ');
}
