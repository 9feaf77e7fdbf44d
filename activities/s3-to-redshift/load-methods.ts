/** How rows get into the table. */
export const LOAD_METHODS = ['append', 'replace', 'upsert'] as const;
export type LoadMethod = (typeof LOAD_METHODS)[number];
