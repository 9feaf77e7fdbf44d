import assert from 'node:assert/strict';
import fc from 'fast-check';
import { type EndedRun, readEndedRun, startRerun } from '../../temporal/runs/reruns.ts';
import type { RunResult } from '../../workflows/plan/runs/run.ts';
import { type ModelRuns, retraining, type ServiceMode } from './model-runs.ts';
import { sluice } from './processes.ts';
import { resultOf } from './yaml-runs.ts';
import { errorText } from '../../workflows/plan/values/error-text.ts';

/** A step in the history of a model. */
export type ModelStep =
  /** A training; `skill` (in tenths) is the model's quality on unseen data; 0 means that it only memorizes its training data. */
  | { readonly do: 'train'; readonly skill: number; readonly service: ServiceMode }
  /** Two concurrent trainings that do not notify the service. */
  | { readonly do: 'two'; readonly skills: readonly [number, number] }
  /** Reruns the last failed run. */
  | { readonly do: 'rerun'; readonly service: ServiceMode }
  /** Deletes the files of a version: the champion, or any. */
  | { readonly do: 'delete'; readonly which: 'champion' | number }
  | { readonly do: 'rollback' | 'lose the alias' | 'damage the alias' };

const skill = fc.constantFrom(0, 3, 4, 5, 6, 7, 8, 9);
const service = fc.constantFrom<ServiceMode[]>('fine', 'fine', 'down', 'stale');

/** Generates histories with this number of steps. */
export const modelHistories = (steps: number): fc.Arbitrary<readonly ModelStep[]> =>
  fc.array(
    fc.oneof(
      { weight: 6, arbitrary: fc.record({ do: fc.constant('train' as const), skill, service }) },
      { weight: 2, arbitrary: fc.record({ do: fc.constant('two' as const), skills: fc.tuple(skill, skill) }) },
      { weight: 3, arbitrary: fc.record({ do: fc.constant('rerun' as const), service }) },
      {
        weight: 2,
        arbitrary: fc.record({ do: fc.constant('delete' as const), which: fc.oneof(fc.constant('champion' as const), fc.nat(9)) }),
      },
      {
        weight: 2,
        arbitrary: fc.record({ do: fc.constantFrom('rollback' as const, 'lose the alias' as const, 'damage the alias' as const) }),
      },
    ),
    { minLength: steps, maxLength: steps },
  );

/** The known quality of a version. */
interface Version {
  readonly truth: number;
  hasFiles: boolean;
}

/** The expected state, computed from the rules without servers. */
class Rules {
  readonly versions = new Map<string, Version>();
  /** The champion is last, preceded by the versions for a rollback. */
  readonly line: string[] = [];
  served: string | undefined;

  get champion(): string | undefined {
    return this.line.at(-1);
  }

  of(version: string): Version {
    return this.versions.get(version) ?? assert.fail(`${version} was never trained`);
  }

  /** The version that candidates are compared with. */
  get standing(): string | undefined {
    return this.line.findLast((version) => this.of(version).hasFiles);
  }

  crown(version: string): void {
    const at = this.line.indexOf(version);
    if (at >= 0) this.line.length = at + 1;
    else this.line.push(version);
  }

  /** @returns the expected result of `promote`; undefined: it fails */
  promote(version: string): boolean | undefined {
    const { truth, hasFiles } = this.of(version);
    const { standing } = this;
    const passes = this.champion === version || standing === undefined || standing === version || truth > this.of(standing).truth;
    if (!passes) return false;
    if (!hasFiles) return undefined;
    this.crown(version);
    return true;
  }

  /** A run, starting with `promote`. @returns whether it succeeds */
  run(version: string, mode: ServiceMode): boolean {
    const previous = this.champion;
    const wasChampion = previous === version;
    const promoted = this.promote(version);
    if (promoted === undefined) return false;
    this.tell(mode);
    if (mode !== 'down' && this.served === this.champion) return true;
    const back = wasChampion ? this.line.at(-2) : previous;
    if (promoted && back !== undefined && back !== version && this.of(back).hasFiles) {
      this.crown(back);
      this.tell(mode);
    }
    return false;
  }

  private tell(mode: ServiceMode): void {
    if (mode === 'fine') this.served = this.champion;
  }
}

/** Plays a history with a separate model, and compares the actual with the expected state after each step. @throws AssertionError */
export async function playModels(models: ModelRuns, model: string, steps: readonly ModelStep[]): Promise<void> {
  const history = new ModelHistory(models, model);
  for (const [index, step] of steps.entries()) {
    try {
      await history.play(step);
    } catch (error) {
      throw new Error(`step ${index} (${JSON.stringify(step)}): ${errorText(error)}`, {
        cause: error,
      });
    }
  }
}

class ModelHistory {
  private readonly rules = new Rules();
  private readonly yaml: string;
  private failed: EndedRun | undefined;

  constructor(
    private readonly models: ModelRuns,
    private readonly model: string,
  ) {
    this.yaml = retraining(models, model);
  }

  async play(step: ModelStep): Promise<void> {
    switch (step.do) {
      case 'train':
        await this.train(step.skill, step.service);
        break;
      case 'two':
        await this.trainTwo(step.skills);
        break;
      case 'rerun':
        await this.rerun(step.service);
        break;
      case 'delete':
        await this.deleteFiles(step.which);
        break;
      case 'rollback':
        await this.rollBack();
        break;
      case 'lose the alias':
        await this.models.bucket.remove(`models/${this.model}/aliases/champion.json`);
        await this.train(0, 'fine');
        break;
      case 'damage the alias':
        await this.damage();
        break;
    }
    await this.check();
  }

  private async train(worth: number, mode: ServiceMode): Promise<void> {
    const { runs, service } = this.models;
    service.behave(this.model, mode);
    const handle = await runs.start(this.yaml, { params: paramsOf(worth) });
    const result = await resultOf(handle);
    const version = this.learn(result, worth);
    await this.ended(handle.workflowId, result, this.rules.run(version, mode));
  }

  private async trainTwo(skills: readonly [number, number]): Promise<void> {
    const yaml = (this.yaml.split('  - name: reload')[0] ?? '').replace('max_active_runs: 1', '');
    const best = this.rules.standing;
    const results = await Promise.all(skills.map((worth) => this.models.runs.run(yaml, { params: paramsOf(worth) })));
    const versions = results.map((result, index) => this.learn(result, skills[index] ?? 0));
    const promoted = versions.filter((_, index) => promotionOf(results[index]).promoted);
    promoted.sort((a, b) => this.rules.of(a).truth - this.rules.of(b).truth);
    for (const version of promoted) this.rules.crown(version);
    const most = Math.max(...skills, best === undefined ? -1 : this.rules.of(best).truth);
    assert.equal(this.rules.of(this.rules.standing ?? '').truth, most, JSON.stringify(results.map(promotionOf)));
  }

  private async rerun(mode: ServiceMode): Promise<void> {
    const run = this.failed;
    if (!run) return;
    this.failed = undefined;
    const { runs, service } = this.models;
    service.behave(this.model, mode);
    const { pipelineRunId } = await startRerun(runs.client, runs.taskQueue, { run, plan: run.plan, params: run.params }, Date.now());
    const result = await resultOf(runs.client.workflow.getHandle(pipelineRunId));
    assert.equal(result.tasks.train?.note, 'kept');
    await this.ended(pipelineRunId, result, this.rules.run((result.tasks.train.output as { version: string }).version, mode));
  }

  private async deleteFiles(which: 'champion' | number): Promise<void> {
    const all = [...this.rules.versions.keys()];
    const version = which === 'champion' ? this.rules.champion : all[which % all.length];
    if (version === undefined) return;
    for (const key of await this.models.bucket.keys(`models/${this.model}/versions/${version}/files/`))
      await this.models.bucket.remove(key);
    this.rules.of(version).hasFiles = false;
  }

  private async rollBack(): Promise<void> {
    const { line } = this.rules;
    const target = line.slice(0, -1).findLast((version) => this.rules.of(version).hasFiles);
    const { code, stderr } = await this.command('rollback', this.model);
    assert.equal(code, target === undefined ? 1 : 0, stderr);
    if (target !== undefined) this.rules.crown(target);
  }

  private async damage(): Promise<void> {
    const { champion } = this.rules;
    await this.models.bucket.put(`models/${this.model}/aliases/champion.json`, '{"version": "by hand"}');
    const { tasks } = await this.models.runs.run(this.yaml, { params: paramsOf(9) });
    assert.deepEqual([tasks.train?.state, tasks.promote?.state], ['failed', 'upstream_failed']);
    assert.match(tasks.train?.error ?? '', /aliases\/champion\.json is not an alias written by Sluice/);
    if (champion === undefined) return this.models.bucket.remove(`models/${this.model}/aliases/champion.json`);
    const { code } = await this.command('promote', this.model, champion);
    // A version without its files cannot become champion, but the log still names it.
    assert.equal(code, this.rules.of(champion).hasFiles ? 0 : 1);
    if (code !== 0) await this.models.bucket.remove(`models/${this.model}/aliases/champion.json`);
  }

  private command(...args: readonly string[]): ReturnType<typeof sluice> {
    return sluice(['models', ...args, '--store', this.models.store], this.models.runs.environment);
  }

  /** @returns the version that a run has trained */
  private learn({ tasks }: RunResult, worth: number): string {
    assert.equal(tasks.promote?.state === 'success' || tasks.promote?.state === 'failed', true, JSON.stringify(tasks));
    const { version } = tasks.train?.output as { version: string };
    this.rules.versions.set(version, { truth: worth, hasFiles: true });
    return version;
  }

  private async ended(runId: string, { state, tasks }: RunResult, succeeds: boolean): Promise<void> {
    assert.equal(state, succeeds ? 'success' : 'failed', JSON.stringify(tasks));
    if (!succeeds) this.failed = await readEndedRun(this.models.runs.client, runId);
    else assert.equal(this.models.service.served(this.model), await this.models.champion(this.model));
  }

  private async check(): Promise<void> {
    const { champion, served, line } = this.rules;
    const { models, model } = this;
    const alias = await models.champion(model);
    // No caller has asked for the champion since the alias was deleted.
    if (alias !== undefined) assert.equal(alias, champion);
    assert.equal(models.service.served(model), served);
    if (champion === undefined) return;
    const files = await models.bucket.keys(`models/${model}/versions/${champion}/files/`);
    assert.equal(files.length > 0, this.rules.of(champion).hasFiles);
    const best = Math.max(...line.filter((version) => this.rules.of(version).hasFiles).map((version) => this.rules.of(version).truth), -1);
    assert.ok(!this.rules.of(champion).hasFiles || this.rules.of(champion).truth === best);
  }
}

function paramsOf(worth: number): { kind: string; skill: number } {
  return worth === 0 ? { kind: 'memorize', skill: 0 } : { kind: 'rule', skill: worth / 10 };
}

function promotionOf(result: RunResult | undefined): { readonly promoted: boolean; readonly reason: string } {
  return result?.tasks.promote?.output as { promoted: boolean; reason: string };
}
