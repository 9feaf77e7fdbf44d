import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { Command } from 'commander';
import { ResourceCompiler } from '../../compiler/compile-resources.ts';
import { Compiler } from '../../compiler/compile.ts';
import { DEFAULTS_FILE } from '../../compiler/read/defaults.ts';
import { loadPipelines } from '../../compiler/read/load-pipelines.ts';
import { editorSchema } from '../../compiler/schema/editor-schema.ts';
import type { JsonSchema } from '../../compiler/schema/json-schema.ts';
import { projectRoot } from '../../lib/roots.ts';
import { writeOutput } from '../../lib/terminal.ts';
import { CommandError, currentProject, environment, PIPELINES, say } from '../command-context.ts';

const SCHEMA_FILE = 'pipeline.schema.json';
const DEFAULTS_SCHEMA_FILE = 'defaults.schema.json';
const MODELINE = `# yaml-language-server: $schema=`;

/** `sluice schema`: prints the JSON Schema of pipeline files, for editors. */
export const command = new Command('schema')
  .description('Print the JSON Schema of pipeline files for editors, or write it next to the pipelines.')
  .option('--defaults', 'print the schema of defaults.yaml instead', false)
  .option('--resources', 'print the schema of resource files instead', false)
  .option('--write', 'write it next to the pipelines, with settings for VS Code', false)
  .argument('[folder]', 'the folder of pipelines', PIPELINES)
  .addHelpText(
    'after',
    `
Examples:
  sluice schema > pipeline.schema.json
  sluice schema --write
  sluice schema --resources > resource.schema.json

With --write, editors that use the YAML language server (VS Code: redhat.vscode-yaml) complete, explain and check
the files of the folder. In a file elsewhere, name the schema in the first line:
  ${MODELINE}./${SCHEMA_FILE}`,
  )
  .action(async (folder: string, { write, defaults, resources }: { write: boolean; defaults: boolean; resources: boolean }) => {
    const compiler = Compiler.of(currentProject());
    const textOf = (schema: JsonSchema): string => `${JSON.stringify(editorSchema(schema), null, 2)}\n`;
    if (!write) {
      const resourceSchema = new ResourceCompiler(currentProject().resources).schema;
      writeOutput(textOf(resources ? resourceSchema : defaults ? compiler.defaultsSchema : compiler.schema));
      return;
    }
    await loadPipelines(folder); // fails if the folder does not exist
    const file = join(folder, SCHEMA_FILE);
    await writeFile(file, textOf(compiler.schema));
    await writeFile(join(folder, DEFAULTS_SCHEMA_FILE), textOf(compiler.defaultsSchema));
    await writeSettings(folder);
    say(
      `Wrote ${relative(process.cwd(), file)}, ${DEFAULTS_SCHEMA_FILE} for defaults.yaml, and .vscode/settings.json. Other editors: \`${MODELINE}./${SCHEMA_FILE}\` as the first line of a file.`,
    );
  });

/** Adds the schema to the settings of VS Code; keeps all other settings. */
async function writeSettings(folder: string): Promise<void> {
  const project = projectRoot(environment);
  const root = relative(project, resolve(folder)).startsWith('..') ? resolve(folder) : project;
  const path = join(root, '.vscode', 'settings.json');
  const below = relative(root, resolve(folder));
  const prefix = below === '' ? '' : `${below}/`;
  const text = await readFile(path, 'utf8').catch(() => '{}');
  const settings = parseSettings(text, path);
  const schemas = (settings['yaml.schemas'] ?? {}) as Record<string, unknown>;
  settings['yaml.schemas'] = {
    ...schemas,
    [`./${prefix}${SCHEMA_FILE}`]: [`${prefix}*.yaml`, `!${prefix}*.test.yaml`, `!${prefix}${DEFAULTS_FILE}`],
    [`./${prefix}${DEFAULTS_SCHEMA_FILE}`]: [`${prefix}${DEFAULTS_FILE}`],
  };
  await mkdir(join(root, '.vscode'), { recursive: true });
  await writeFile(path, `${JSON.stringify(settings, null, 2)}\n`);
}

function parseSettings(text: string, path: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    throw new CommandError(
      `${path} is not plain JSON (it may contain comments) and was not changed. Add the schema under "yaml.schemas" yourself; see \`sluice schema --help\`.`,
    );
  }
}
