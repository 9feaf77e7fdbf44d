/** How rows get into the table. */
export const LOAD_METHODS = ['append', 'replace', 'upsert', 'merge'] as const;
export type LoadMethod = (typeof LOAD_METHODS)[number];

/** Whether it matches rows by `upsert_keys`. */
export function goesByKeys(method: LoadMethod): boolean {
  return method === 'upsert' || method === 'merge';
}

/** Whether the table afterwards contains only the loaded data. */
export function replacesAll(method: LoadMethod): boolean {
  return method === 'replace' || method === 'merge';
}
