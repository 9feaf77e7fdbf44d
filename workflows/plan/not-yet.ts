import type { Plan } from './plan.ts';

/** What this release cannot carry out of a plan, in a sentence; undefined when it can carry out all of it. */
export function refusal({ notYet, pipelines = {} }: Plan): string | undefined {
  const keys = [notYet ?? {}, ...Object.values(pipelines).map((child) => child.notYet ?? {})].flatMap((each) => Object.keys(each));
  if (keys.length === 0) return undefined;
  return `not yet: this release checks and cannot carry out ${keys.join(', ')}. Take ${keys.length === 1 ? 'it' : 'them'} out for now.`;
}
