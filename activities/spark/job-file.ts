import { existsSync, readdirSync } from 'node:fs';
import { extname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { PACKAGE, projectRoot } from '../../lib/roots.ts';
import { userFault } from '../run/errors.ts';
import { didYouMean } from '../support/nearest.ts';
import { refusedApplication } from './conf-policy.ts';

/** Shipped with each Python job; not a job itself. A jobs folder may contain its own copy. */
const LIBRARY = 'sluice_job.py';
const EXTENSIONS = ['.py', '.jar'];

/** The file for spark-submit to run. */
export interface JobFile {
  /** Display name: `category_transformer`. */
  readonly name: string;
  /** A path on this machine, or a URI that Spark downloads itself. */
  readonly path: string;
  /** Python modules that the job may import. */
  readonly library: readonly string[];
}

/**
 * The folder of the jobs: `SLUICE_JOBS` (relative to the project, not to the worker's working directory), else `jobs/`.
 */
export function jobsFolder(environment: NodeJS.ProcessEnv = process.env): string {
  return resolve(projectRoot(environment), environment['SLUICE_JOBS'] || 'jobs');
}

/**
 * Finds the file of `job_name` (`jobs/<name>.py`, else `.jar`) or `application` (a path under `jobs/`, or a URI).
 * @throws JobNotFound with the existing jobs; InvalidParameters unless exactly one of the two is given
 */
export function findJobFile(given: { job_name?: string; application?: string }, folder: string = jobsFolder()): JobFile {
  const { job_name: name, application } = given;
  if (name !== undefined && application === undefined) {
    const path = EXTENSIONS.map((extension) => join(folder, name + extension)).find((candidate) => existsSync(candidate));
    if (path === undefined) throw jobNotFound(name, folder, `neither ${name}.py nor ${name}.jar is in ${folder}`);
    return { name, path, library: libraryOf(path, folder) };
  }
  if (application !== undefined && name === undefined) {
    const ownName = application.replace(/^.*\//, '').replace(/\.(py|jar)$/, '');
    const refusal = refusedApplication(application);
    if (refusal !== undefined) {
      const allowed = `a path under ${folder}, or an s3://, s3a:// or hdfs:// URI`;
      throw userFault('InvalidParameters', `'application' cannot be '${application}': ${refusal}. Allowed: ${allowed}.`);
    }
    if (application.includes('://')) return { name: ownName, path: application, library: libraryOf(application, folder) };
    const path = resolve(folder, application);
    const inside = relative(folder, path);
    if (inside === '' || inside === '..' || inside.startsWith(`..${sep}`) || isAbsolute(inside)) {
      throw userFault(
        'InvalidParameters',
        `'application' is '${application}'; allowed: a path under ${folder}, or an s3:// or hdfs:// URI.`,
      );
    }
    if (!existsSync(path)) throw jobNotFound(application, folder, `there is no ${application} in ${folder}`);
    return { name: ownName, path, library: libraryOf(path, folder) };
  }
  throw userFault(
    'InvalidParameters',
    `${name === undefined ? "Neither 'job_name' nor 'application' is" : "Both 'job_name' and 'application' are"} given; give one: ` +
      `'job_name: x' runs jobs/x.py or jobs/x.jar, 'application' names a file under jobs/ or a URI.`,
  );
}

function libraryOf(path: string, folder: string): string[] {
  const library = [folder, join(PACKAGE, 'jobs')].map((each) => join(each, LIBRARY)).find((each) => existsSync(each));
  return extname(path) === '.py' && library !== undefined ? [library] : [];
}

function jobNotFound(given: string, folder: string, what: string): Error {
  const present = existsSync(folder)
    ? readdirSync(folder)
        .filter((file) => EXTENSIONS.includes(extname(file)) && file !== LIBRARY)
        .map((file) => file.slice(0, -extname(file).length))
        .sort()
    : [];
  const there = present.length > 0 ? `Jobs there: ${[...new Set(present)].join(', ')}.` : 'No job is there.';
  return userFault('JobNotFound', `Job '${given}' is not found: ${what}.${didYouMean(given, present)} ${there}`);
}
