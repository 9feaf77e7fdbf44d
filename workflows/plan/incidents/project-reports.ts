import type { BrokenFile, MonitorMemory, ProjectReport } from './incident.ts';

/** What a monitor remembers of the projects that are applied on its task queue. */
export type ReportedProjects = Pick<MonitorMemory, 'expected' | 'files' | 'projects'>;

/** The place of reports without a project, which come from earlier releases. */
const UNNAMED = '';

/**
 * Adds the report of a project. Reports of other projects stay. A report without a project is replaced by the next one that has a project.
 * @param broken absent: only a part of the project was applied, and the files that it reported before stay
 * @param at when it was made, ISO 8601
 */
export function withReport(
  { projects = {}, files }: ReportedProjects,
  report: { readonly project?: string; readonly expected: readonly string[]; readonly broken?: readonly BrokenFile[] },
  at: string,
): Required<Pick<ReportedProjects, 'expected' | 'projects'>> & Pick<ReportedProjects, 'files'> {
  const { project = UNNAMED, expected, broken } = report;
  const since = new Map(files?.broken.map((known) => [known.file, known.since]));
  const before = projects[project]?.files;
  const now = broken ? { at, broken: broken.map((each) => ({ ...each, since: since.get(each.file) ?? at })) } : before;
  const others = Object.entries(projects).filter(([name]) => name !== project && name !== UNNAMED);
  const all: Record<string, ProjectReport> = { ...Object.fromEntries(others), [project]: { expected, ...(now && { files: now }) } };
  const reports = Object.values(all);
  const reported = reports.flatMap((each) => each.files ?? []);
  return {
    projects: all,
    expected: [...new Set(reports.flatMap((each) => each.expected))],
    ...(reported.length > 0 && {
      files: {
        at: reported.map((each) => each.at).reduce((one, other) => (one > other ? one : other)),
        broken: reported.flatMap((each) => each.broken),
      },
    }),
  };
}
