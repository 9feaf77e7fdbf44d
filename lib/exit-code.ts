/** What the processes of Sluice end with. */
export const EXIT = {
  ok: 0,
  failed: 1,
  /** `sluice plan`: Temporal differs from the files. */
  changesPresent: 2,
  invalidPipeline: 3,
  cannotConnect: 4,
} as const;
