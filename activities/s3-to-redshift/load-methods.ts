/** How rows get into the table. */
export const LOAD_METHODS = ['append', 'replace', 'upsert', 'merge'] as const;
export type LoadMethod = (typeof LOAD_METHODS)[number];

/** Whether it goes by `upsert_keys`. */
export function goesByKeys(method: LoadMethod): boolean {
  return method === 'upsert' || method === 'merge';
}

/** Whether the table then holds the loaded data and nothing else. */
export function replacesAll(method: LoadMethod): boolean {
  return method === 'replace' || method === 'merge';
}
