import type { PluginBuild } from 'esbuild';

/** Leaves packages in node_modules, except those that are bundled. */
export function leavePackages(build: PluginBuild): void;
