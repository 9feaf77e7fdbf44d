import type { BuildOptions } from 'esbuild';

/** How esbuild bundles cli.ts. */
export const CLI_BUNDLE: BuildOptions;
