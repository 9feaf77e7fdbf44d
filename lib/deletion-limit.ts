/** What may be deleted when files are gone. */
export interface PruneOptions {
  /** Whether to delete what no file defines any more. Default: no. */
  readonly prune: boolean;
  /** How many may be deleted at once if that is all, or more than a fifth, of what the project has. Default: none. */
  readonly allowDelete?: number;
}

/** The fraction that may be deleted without `allowDelete`. */
const MAX_DELETED_PART = 0.2;

/**
 * Decides whether things whose files are gone may be deleted.
 * @param owned how many the project has
 * @param what they are, in the plural
 * @returns why not, for messages; undefined if they may
 */
export function whyNotDeleted(
  deletions: number,
  owned: number,
  what: string,
  { prune, allowDelete = 0 }: PruneOptions,
): string | undefined {
  if (!prune) return '`--prune` deletes it';
  const isMany = deletions === owned || deletions > owned * MAX_DELETED_PART;
  if (!isMany || allowDelete >= deletions) return undefined;
  return `${deletions} of the project's ${owned} ${what} would be deleted; \`--allow-delete ${deletions}\` allows it`;
}
