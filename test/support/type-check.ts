import { join, relative } from 'node:path';
import ts from 'typescript';
import { ROOT } from '../../lib/environment.ts';

/** An edit of a file before the type check: the existing text, and its replacement. */
export type Edit = readonly [file: string, before: string, after: string];

const parsed = new Map<string, ts.SourceFile | undefined>();
let lastProgram: ts.Program | undefined;

/**
 * Type-checks files of this repository after edits, without writing them.
 * @param files whose errors count, relative to the root of the repository
 * @returns the files with errors, without duplicates, in the given order
 */
export function filesWithTypeErrors(files: readonly string[], edits: readonly Edit[]): string[] {
  const { config } = ts.readConfigFile(join(ROOT, 'tsconfig.json'), (path) => ts.sys.readFile(path)) as {
    config: { compilerOptions: object };
  };
  const { options } = ts.convertCompilerOptionsFromJson({ ...config.compilerOptions, types: ['node'] }, ROOT);
  const host = ts.createCompilerHost(options);
  const edited = new Map<string, string>();
  for (const [file, before, after] of edits) {
    const text = edited.get(file) ?? ts.sys.readFile(join(ROOT, file)) ?? '';
    if (!text.includes(before)) throw new Error(`${file} does not have '${before}'.`);
    edited.set(file, text.replace(before, after));
  }
  host.getSourceFile = (path, target) => {
    const text = edited.get(relative(ROOT, path));
    if (text !== undefined) return ts.createSourceFile(path, text, target);
    if (!parsed.has(path)) {
      const unchanged = ts.sys.readFile(path);
      parsed.set(path, unchanged === undefined ? undefined : ts.createSourceFile(path, unchanged, target));
    }
    return parsed.get(path);
  };
  const program = ts.createProgram(
    files.map((file) => join(ROOT, file)),
    options,
    host,
    lastProgram,
  );
  lastProgram = program;
  return files.filter((file) => program.getSemanticDiagnostics(program.getSourceFile(join(ROOT, file))).length > 0);
}
