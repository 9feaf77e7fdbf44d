/** Thrown when the definitions of a project cannot be used. The message names each problem with its file and what to do. */
export class ProjectError extends Error {
  override readonly name = 'ProjectError';
}

/** @param problems at least one; each starts with its file or plugin @throws ProjectError with all of them */
export function refuseProject(problems: readonly string[]): never {
  throw new ProjectError(problems.join('\n'));
}
