import type { SideToOpen } from './open-side.ts';

/** The connection types that a side may have. */
export function sideTypes({ dataset }: { readonly dataset?: unknown }): readonly SideToOpen['connection']['type'][] {
  return dataset === undefined ? ['postgres', 'redshift', 'mysql'] : ['aws'];
}
