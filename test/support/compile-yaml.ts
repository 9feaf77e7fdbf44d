import type { Plan } from '../../workflows/plan/plan.ts';
import { compiler } from './compiler.ts';

/** Compiles a pipeline file. @throws Error with its diagnostics when it has mistakes */
export function compileYaml(text: string): Plan {
  const { plan, diagnostics } = compiler.compile({ file: 'case.yaml', text });
  if (!plan) throw new Error(JSON.stringify(diagnostics, undefined, 2));
  return plan;
}
