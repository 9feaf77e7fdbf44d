import type { Environment } from '@marcbachmann/cel-js';
import { expressionLanguage } from '../../workflows/plan/expressions/language.ts';
import { RUN_NAMES } from '../../workflows/plan/expressions/run-names.ts';
import type { Shape } from '../../workflows/plan/expressions/shape.ts';
import type { Reference } from '../../workflows/plan/expressions/syntax-tree.ts';
import { FAILURE } from '../../workflows/plan/tasks/failure.ts';
import { type ExpressionScope, isRunName, putOutputShape } from './expression-scope.ts';
import { type CelDeclaration, celDeclaration } from './shapes.ts';

let base: Environment | undefined;

/** For syntax only; created once per process. */
export function baseLanguage(): Environment {
  return (base ??= expressionLanguage(false));
}

let typed: Environment | undefined;

/** Creates a language with the names and types that these references need. */
export function languageFor(scope: ExpressionScope, references: readonly Reference[]): Environment {
  if (!typed) {
    typed = expressionLanguage(true);
    for (const [name, shape] of Object.entries(RUN_NAMES)) declare(typed, name, celDeclaration(shape));
  }
  const names = new Set(references.map(({ path }) => path[0] ?? ''));
  if ([...names].every(isRunName)) return typed.clone();
  const language = typed.clone();
  for (const [name, shape] of Object.entries(scope.items)) if (names.has(name)) declare(language, name, celDeclaration(shape));
  if (names.has('params')) declare(language, 'params', celDeclaration({ fields: scope.params }));
  if (names.has('outputs')) declare(language, 'outputs', outputsDeclaration(scope, references));
  // A key can define its own event: the record that the task waits for.
  if (names.has('event') && !Object.hasOwn(scope.items, 'event'))
    declare(language, 'event', scope.event?.value ? celDeclaration(scope.event.value) : 'map<string, dyn>');
  if (names.has('event_meta'))
    declare(language, 'event_meta', celDeclaration({ fields: { timestamp: 'timestamp', ...scope.event?.meta } }));
  // Types can be compared only for text and numbers. Whether a value is null is known only in a run.
  if (names.has('failure')) declare(language, 'failure', readsWholeFailure(references) ? 'dyn' : celDeclaration(FAILURE));
  if (names.has('conn')) {
    const connections = references.filter(({ path }) => path[0] === 'conn').map(({ path }) => path[1] ?? '');
    const fields = celDeclaration({ fields: scope.connections.fieldsOf(undefined) });
    declare(language, 'conn', Object.fromEntries(connections.map((name) => [name, fields])));
  }
  return language;
}

function declare(language: Environment, name: string, declaration: CelDeclaration): void {
  if (typeof declaration === 'string') language.registerVariable(name, declaration);
  else language.registerVariable({ name, schema: declaration });
}

function outputsDeclaration({ outputs }: ExpressionScope, references: readonly Reference[]): CelDeclaration {
  const fields: Record<string, Shape> = {};
  for (const { path } of references) if (path[0] === 'outputs') putOutputShape(fields, path, outputs);
  return celDeclaration({ fields });
}

/** Whether `failure` is read as a whole. */
export function readsWholeFailure(references: readonly Reference[]): boolean {
  return references.some(({ path }) => path[0] === 'failure' && path.length === 1);
}
