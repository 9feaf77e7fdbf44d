import { isMap } from '../workflows/plan/values/json.ts';
import type { FolderPolicy, ProjectConfig } from './define-config.ts';
import { type Plugin, PLUGIN_API } from './define-plugin.ts';
import { refuseProject } from './project-error.ts';

/** Checks each key of a configuration. @returns the problems, as ends of sentences that begin with the key */
const CHECKS: { readonly [K in keyof Required<ProjectConfig>]: (value: unknown) => readonly string[] } = {
  deployment: (value) =>
    typeof value === 'string' && /^[A-Za-z0-9][A-Za-z0-9_.-]{0,199}$/.test(value)
      ? []
      : [`'deployment' must be a text of letters, digits and _ . -, such as 'acme-data'.`],
  policy: (value) => policyProblems(value),
  plugins: (value) => (Array.isArray(value) ? value.flatMap(pluginProblems) : ["'plugins' must be a list of plugins."]),
};

/**
 * Checks the default export of a configuration file.
 * @param file its name, for messages
 * @throws ProjectError with every problem
 */
export function checkConfig(file: string, value: unknown): ProjectConfig {
  if (typeof value !== 'object' || value === null)
    refuseProject([`${file}: its default export is not a configuration. Write \`export default defineConfig({ … })\`.`]);
  const problems = Object.entries(value).flatMap(([key, each]): readonly string[] =>
    Object.hasOwn(CHECKS, key)
      ? each === undefined
        ? []
        : CHECKS[key as keyof ProjectConfig](each)
      : [`'${key}' is not a key of the configuration. Its keys: ${Object.keys(CHECKS).join(', ')}.`],
  );
  if (problems.length > 0) refuseProject(problems.map((problem) => `${file}: ${problem}`));
  return value;
}

/** The keys of a folder's policy. */
const POLICY_KEYS = ['owners', 'queues', 'connections', 'dagIdPrefixes'] as const satisfies readonly (keyof FolderPolicy)[];

function policyProblems(value: unknown): readonly string[] {
  if (!isMap(value)) return ["'policy' must be a map of folders, such as { 'pipelines/sales': { owners: ['sales'] } }."];
  return Object.entries(value).flatMap(([folder, rules]) => {
    if (/^\/|\\|(^|\/)\.\.(\/|$)/.test(folder)) return [`policy: '${folder}' must be a folder of the project, such as 'pipelines/sales'.`];
    if (!isMap(rules)) return [`policy['${folder}'] must be a map with some of: ${POLICY_KEYS.join(', ')}.`];
    return Object.entries(rules).flatMap(([key, allowed]) => {
      if (!(POLICY_KEYS as readonly string[]).includes(key))
        return [`policy['${folder}']: '${key}' is not a key of a policy. Its keys: ${POLICY_KEYS.join(', ')}.`];
      const isList = Array.isArray(allowed) && allowed.every((each) => typeof each === 'string' && each !== '');
      return isList ? [] : [`policy['${folder}'].${key} must be a list of texts.`];
    });
  });
}

function pluginProblems(value: unknown, index: number): readonly string[] {
  const { name, api } = (value ?? {}) as Partial<Plugin>;
  if (typeof name !== 'string' || api === undefined) {
    return [`plugins[${index}] is not a plugin. List the default export of a plugin package, which calls definePlugin.`];
  }
  const { from, to } = PLUGIN_API;
  if (typeof api === 'number' && api >= from && api <= to) return [];
  const range = from === to ? `only api ${from}` : `api ${from} to ${to}`;
  const upgrade =
    typeof api === 'number' && api > to ? 'Upgrade sluice, or install an earlier release of the plugin.' : 'Upgrade the plugin.';
  return [`the plugin '${name}' needs api ${JSON.stringify(api)} of Sluice; this release supports ${range}. ${upgrade}`];
}
