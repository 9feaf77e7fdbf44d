/** Folders and files that programs are made of, from the root, beside each program's own file. */
export const SOURCES: readonly string[];
