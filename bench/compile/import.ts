import { readdirSync, readFileSync, statSync } from 'node:fs';
import { extname, join } from 'node:path';
import { importDags } from '../../cli/import/import-dags.ts';
import { isJinja, translateJinja } from '../../cli/import/jinja.ts';
import type { JinjaNames } from '../../cli/import/jinja-names.ts';
import { ImportError } from '../../cli/import/source-value.ts';

/**
 * Measures how much of the DAGs in a folder can be imported: `npx tsx bench/compile/import.ts FOLDER`. Imports dag-factory YAML; counts the
 * expressions in all files, including Python and SQL.
 */
const folder = process.argv[2];
if (folder === undefined) throw new Error('Name a folder: npx tsx bench/compile/import.ts FOLDER');

const files = (readdirSync(folder, { recursive: true }) as string[])
  .map((name) => join(folder, name))
  .filter((file) => statSync(file).isFile() && !/[/\\]\.github[/\\]/.test(file));
const texts = new Map(files.filter((file) => /\.(?:py|sql|ya?ml)$/.test(file)).map((file) => [file, readFileSync(file, 'utf8')]));

const names: JinjaNames = {
  params: new Proxy(new Map(), { get: (_, key) => (key === 'get' ? (name: string) => ({ name, kind: 'text' }) : undefined) }),
  task: 'task',
  parameter: (_, name) => (/key|token|secret|passw/.test(name) ? undefined : name),
  output: () => undefined,
};
const expressions = [...texts].flatMap(([file, text]) =>
  extname(file) === '.py' && !text.includes('airflow') ? [] : (text.match(/\{\{[^{}]*\}\}/g) ?? []).filter((each) => isRuns(each)),
);
const lost = expressions.filter((each) => isJinja(each) && translateJinja(each, names).lost.length > 0);

/** Whether an expression is evaluated in a run, and does not belong to a template that generates DAGs. */
function isRuns(expression: string): boolean {
  return /\b(?:ds|ts|\w+_(?:ds|ts|nodash)|ds_nodash|ts_nodash|\w*execution_date|logical_date|data_interval_\w+|run_id|dag_run|dag|macros|params|var|conn|ti|task_instance|task\.task_id)\b/.test(
    expression,
  );
}

const imported = importDags([...texts].filter(([file]) => /\.ya?ml$/.test(file)).map(([file, text]) => ({ file, text })));
const dags = imported.flatMap((each) => (each instanceof ImportError ? [] : [each]));
const types = dags.flatMap(({ yaml }) => [...yaml.matchAll(/^ {4}type: (\w+)$/gm)].map(([, type]) => type));
const runnable = types.filter((type) => type !== 'unfinished').length;
const share = (part: number, of: number): string => `${part} of ${of} (${of === 0 ? 0 : Math.round((100 * part) / of)} %)`;
process.stdout.write(`${`${dags.length} DAGs, ${share(runnable, types.length)} tasks converted`}\n`);
process.stdout.write(`${`${share(expressions.length - lost.length, expressions.length)} expressions converted`}\n`);
for (const each of new Set(lost)) process.stdout.write(`${`  ${each}`}\n`);
