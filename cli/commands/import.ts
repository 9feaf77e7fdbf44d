import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Command } from 'commander';
import { EXIT } from '../../lib/exit-code.ts';
import { outputOption, type OutputOptions, print, say } from '../command-context.ts';
import { type Imported, importDags } from '../import/import-dags.ts';
import { type ImportFile } from '../import/read-dags.ts';
import { formatReport } from '../import/report.ts';
import { formatPlace, ImportError } from '../import/source-value.ts';

interface ImportOptions extends OutputOptions {
  readonly to?: string;
}

/** `sluice import`: converts DAGs of dag-factory and Airflow to pipelines, and reports what could not be kept. */
export const command = new Command('import')
  .description('Convert DAGs of dag-factory and Airflow into pipelines, and report what could not be converted.')
  .argument('<files...>', 'YAML files of dag-factory, or JSON files of Airflow DAGs')
  .option('--to <folder>', 'write each pipeline to <folder>/<dag_id>.yaml; existing files are not overwritten')
  .addOption(outputOption())
  .addHelpText(
    'after',
    `
Examples:
  sluice import dags/sales.yml                      write pipelines to stdout, the report to stderr
  sluice import dags/*.yml --to pipelines/          write one file per pipeline
  sluice import details.json tasks.json             convert answers of Airflow's REST API: /dags/<id>/details, /dags/<id>/tasks

Python files are neither run nor read. Exit codes: 0 all DAGs converted, 1 at least one failed.`,
  )
  .action(async (paths: string[], options: ImportOptions) => {
    const results = importDags(await Promise.all(paths.map(readImportFile)));
    const written = new Map<Imported, string>();
    const failed: ImportError[] = [];
    for (const result of results) {
      if (result instanceof ImportError) failed.push(result);
      else if (options.to !== undefined) {
        const file = await writeNew(options.to, result);
        if (typeof file === 'string') written.set(result, file);
        else failed.push(file);
      }
    }
    const imported = results.filter((result): result is Imported => !(result instanceof ImportError));
    print(
      options,
      {
        pipelines: imported.map((each) => ({
          dag_id: each.dagId,
          place: formatPlace(each.place),
          written_to: written.get(each) ?? null,
          yaml: each.yaml,
          report: each.report.entries.map(({ place, ...entry }) => ({ ...entry, place: formatPlace(place) })),
        })),
        failed: failed.map(({ message, place }) => ({ place: formatPlace(place), message })),
      },
      options.to === undefined ? imported.map(({ yaml }) => yaml.trimEnd()).join('\n---\n') : [...written.values()].join('\n'),
    );
    if (options.output === 'text') {
      for (const { dagId, place, report } of imported) say(`${formatReport(dagId, place, report.entries)}\n`);
      for (const { message, place } of failed) say(`${formatPlace(place)}  ${message}`);
    }
    if (failed.length > 0) process.exitCode = EXIT.failed;
  });

/** A file that cannot be opened is reported like other mistakes; the rest is still imported. */
async function readImportFile(file: string): Promise<ImportFile | ImportError> {
  try {
    return { file, text: await readFile(file, 'utf8') };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const why = code === 'ENOENT' ? 'File not found.' : code === 'EISDIR' ? 'This is a folder; name its files instead.' : message;
    return new ImportError(why, { file, line: 1, column: 1 });
  }
}

/** Writes a pipeline to a new file; never overwrites one. */
async function writeNew(folder: string, { dagId, yaml, place }: Imported): Promise<string | ImportError> {
  const file = join(folder, `${dagId}.yaml`);
  try {
    await mkdir(folder, { recursive: true });
    await writeFile(file, yaml, { flag: 'wx' });
    return file;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const why =
      code === 'EEXIST' ? `${file} already exists and was not overwritten. Move it, or choose another folder with --to.` : message;
    return new ImportError(why, place);
  }
}
