import type { TaskType } from '../activities/define-task.ts';
import type { Plan } from '../workflows/plan/plan.ts';
import { byPlace, type Diagnostic } from './diagnostic.ts';
import { emit } from './emit.ts';
import type { FillIn } from './fill-in.ts';
import { parse } from './parse.ts';
import { resolveData } from './resolve-data.ts';
import { resolveGraph, tasksOf } from './resolve-graph.ts';
import { resolveSchedule } from './resolve-schedule.ts';
import type { JsonSchema } from './schema.ts';
import { Source } from './source.ts';
import { Validator } from './validate.ts';

/** A pipeline file before it is compiled. */
export interface PipelineFile {
  /** As messages are to show it. */
  readonly file: string;
  readonly text: string;
}

/** What became of one file: a plan, or what is wrong with it. */
export interface Compilation {
  readonly file: string;
  /** Absent when the file has mistakes. */
  readonly plan?: Plan;
  /** What the compiler decided where the file leaves it open. */
  readonly filledIn: readonly FillIn[];
  readonly diagnostics: readonly Diagnostic[];
}

/** Compiles YAML to plans. Pure: files are handed in (see load-pipelines.ts), nothing is read or written. */
export class Compiler {
  private readonly validator: Validator;
  private readonly types: ReadonlyMap<string, TaskType>;

  constructor(catalog: readonly TaskType[]) {
    this.validator = new Validator(catalog);
    this.types = new Map(catalog.map((taskType) => [taskType.type, taskType]));
  }

  /** The JSON Schema of pipeline files, for editors. */
  get schema(): JsonSchema {
    return this.validator.schema;
  }

  /** Compiles files together: each for itself, then what must hold between them. A bad file never hides a good one. */
  compileAll(files: readonly PipelineFile[]): Compilation[] {
    const sources = files.map(({ file, text }) => new Source(file, text));
    const compiled = sources.map((source) => this.compileSource(source));
    const owners = new Map<string, string>();
    for (const [index, { plan }] of compiled.entries()) {
      const source = sources[index];
      if (!plan || !source) continue;
      const other = owners.get(plan.dagId);
      if (other === undefined) owners.set(plan.dagId, source.file);
      else source.report('SL304', ['dag_id'], `'${plan.dagId}' is the dag_id of ${other} too.`, 'give each pipeline its own');
    }
    return compiled.map(({ plan, filledIn }, index) => {
      const source = sources[index];
      const diagnostics = [...(source?.diagnostics ?? [])].sort(byPlace);
      return { file: source?.file ?? '', ...(plan && diagnostics.length === 0 && { plan }), filledIn, diagnostics };
    });
  }

  /** Compiles one file. */
  compile(file: PipelineFile): Compilation {
    const [compilation] = this.compileAll([file]);
    if (!compilation) throw new Error('compileAll lost a file');
    return compilation;
  }

  private compileSource(source: Source): { plan?: Plan; filledIn: FillIn[] } {
    const filledIn: FillIn[] = [];
    const value = parse(source);
    if (!value) return { filledIn };
    this.validator.validate(source, value);
    if (typeof value.dag_id === 'string' && value.dag_id in {}) {
      source.report('SL305', ['dag_id'], `'${value.dag_id}' is a name that JavaScript uses for itself.`, 'choose another dag_id');
    }
    const schedule = resolveSchedule(source, value);
    const graph = resolveGraph(source, value, filledIn);
    // The hand-over can be told only where every task's name and type are known; then it is told whatever else is wrong.
    const known = tasksOf(value).every((task) => typeof task.name === 'string' && this.types.has(String(task.type)));
    const handOver = graph && known ? resolveData(source, value, graph, this.types, filledIn) : undefined;
    if (!graph || !handOver || source.diagnostics.length > 0) return { filledIn };
    return { plan: emit(value, schedule, graph, handOver, this.types), filledIn };
  }
}
