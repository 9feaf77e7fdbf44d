/** Exit codes of Sluice's processes. */
export const EXIT = {
  ok: 0,
  failed: 1,
  /** `sluice plan`: Temporal differs from the files. */
  changesPresent: 2,
  invalidPipeline: 3,
  cannotConnect: 4,
} as const;
