import assert from 'node:assert/strict';
import { type Imported, importDags } from '../../../cli/import/import-dags.ts';
import { ImportError } from '../../../cli/import/source-value.ts';
import { formatDiagnostic } from '../../../compiler/mistakes/diagnostic.ts';
import { compiler } from '../../support/compiler.ts';

/** Imports one file that is given as text; what cannot be imported is thrown, and what can must compile. */
export function importText(text: string, file = 'dags.yml'): Imported[] {
  const imported = importDags([{ file, text }]).map((result) => {
    if (result instanceof ImportError) throw result;
    return result;
  });
  const compilations = compiler.compileAll(imported.map(({ dagId, yaml }) => ({ file: `${dagId}.yaml`, text: yaml })));
  const mistakes = compilations.flatMap(({ diagnostics }) => diagnostics.filter(({ severity }) => severity === 'error'));
  assert.deepEqual(mistakes.map(formatDiagnostic), []);
  return imported;
}

/** The first DAG of a file: its YAML without the comment at the top, and its report as lines of `outcome line name`. */
export function importOne(text: string, file = 'dags.yml'): { yaml: string; report: string[] } {
  const [first] = importText(text, file);
  if (!first) throw new Error('no DAG');
  return {
    yaml: first.yaml.replace(/^# Imported from .*\n\n?/, ''),
    report: first.report.entries
      .filter(({ outcome }) => outcome !== 'kept')
      .map(
        ({ outcome, task, what, place }) =>
          `${outcome} ${place.line}:${place.column} ${task === undefined || task === what ? what : `${task}.${what}`}`,
      )
      .sort(),
  };
}
