import type { Plan } from './plan.ts';

/** Which keys of a plan this release cannot run, in one sentence; undefined when it can run the whole plan. */
export function refusal({ notYet, pipelines = {} }: Plan): string | undefined {
  const keys = [notYet ?? {}, ...Object.values(pipelines).map((child) => child.notYet ?? {})].flatMap((each) => Object.keys(each));
  if (keys.length === 0) return undefined;
  return `not yet: this release checks and cannot carry out ${keys.join(', ')}. Take ${keys.length === 1 ? 'it' : 'them'} out for now.`;
}
