import type { Shape } from '../../workflows/plan/expressions/shape.ts';
import type { Reference } from '../../workflows/plan/expressions/syntax-tree.ts';
import { HOST_FACTS, type HostFact } from '../../workflows/plan/tasks/failure.ts';
import { type ExpressionScope, putOutputShape } from './expression-scope.ts';
import type { CheckedTemplate } from './template-checker.ts';

/** Collects the names that the expressions of a file read. */
export class NamesRead {
  private readonly read: Reference[] = [];
  private isAny = false;

  /** Whether there is any expression, valid or not. */
  get hasExpressions(): boolean {
    return this.isAny;
  }

  remember(checked: CheckedTemplate | undefined): void {
    this.isAny = true;
    this.read.push(...(checked?.references ?? []));
  }

  /** The references of all expressions that are checked during `check`. */
  during(check: () => void): readonly Reference[] {
    const before = this.read.length;
    check();
    return this.read.slice(before);
  }

  /** The connections whose fields are read, in order. */
  connections(): string[] {
    return [...new Set(this.read.flatMap(({ path }) => (path[0] === 'conn' && path[1] !== undefined ? [path[1]] : [])))].sort();
  }

  /** The facts about failures that are read. `failure` without a field counts as all of them. */
  failureFacts(): HostFact[] {
    const fields = new Set(this.read.flatMap(({ path: [name, field] }) => (name === 'failure' ? [field] : [])));
    return HOST_FACTS.filter((fact) => fields.has(fact) || fields.has(undefined));
  }

  /** The types of the names that are read. Only these are stored in the plan. */
  shapes({ params: declared, outputs: known }: Pick<ExpressionScope, 'params' | 'outputs'>): Record<string, Shape> {
    const shapes: Record<string, Shape> = {};
    const params: Record<string, Shape> = {};
    const outputs: Record<string, Shape> = {};
    for (const { path } of this.read) {
      const [name = '', field = ''] = path;
      if (name === 'params' && Object.hasOwn(declared, field)) params[field] = declared[field] ?? 'dyn';
      else if (name === 'params') Object.assign(params, declared);
      else if (name === 'outputs') putOutputShape(outputs, path, known);
    }
    if (Object.keys(params).length > 0) shapes.params = { fields: params };
    if (Object.keys(outputs).length > 0) shapes.outputs = { fields: outputs };
    return shapes;
  }
}
