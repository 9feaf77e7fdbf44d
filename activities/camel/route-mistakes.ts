import type { ParamMistake } from '../define-task.ts';

/** Keys of Camel that would take the place of the configuration with which exchanges are counted. */
const RESERVED = /(?:^|[\s{,-])["']?((?:on-?completion|route-?configuration)(?:-?id)?)["']?\s*:/im;

/** Mistakes in the file of a route that Camel would not report. */
export function routeMistakes({ route, definition }: { readonly route: string; readonly definition?: string }): ParamMistake[] {
  if (definition === undefined) return [];
  const code = definition.replace(/(?:^|\s)#.*$/gm, '');
  if (!/^\s*(?:---\s*)?[-[]/.test(code))
    return [{ at: ['route'], message: `routes/${route}.yaml is not a list of routes.`, hint: 'begin it with `- route:`' }];
  const [, reserved] = RESERVED.exec(code) ?? [];
  if (reserved === undefined) return [];
  return [
    {
      at: ['route'],
      message: `routes/${route}.yaml uses '${reserved}', with which Sluice counts the exchanges of a route.`,
      hint: 'use onException or doTry instead',
    },
  ];
}
