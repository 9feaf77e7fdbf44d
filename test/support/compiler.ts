import { CATALOG } from '../../activities/catalog.ts';
import { Compiler } from '../../compiler/compile.ts';

/** A compiler for the built-in task types. All tests share it, because it compiles the schemas of all types. */
export const compiler = new Compiler(CATALOG);
