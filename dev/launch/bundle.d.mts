import type { PluginBuild } from 'esbuild';

/** Folders and files that programs are made of, from the root, beside each program's own file. */
export const SOURCES: readonly string[];
/** Leaves packages in node_modules, except those that are bundled. */
export function leavePackages(build: PluginBuild): void;
