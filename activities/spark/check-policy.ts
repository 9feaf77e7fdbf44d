import type { SparkConnection } from '../../connections/spark.ts';
import { isMap } from '../../workflows/plan/values/json.ts';
import type { ParamMistake } from '../define-task.ts';
import { userFault } from '../run/errors.ts';
import { fits, isAllowedConf, refusedApplication, refusedClass, refusedConf } from './conf-policy.ts';
import type { SparkJobParams } from './spark-job-params.ts';

/** Errors of a Spark task that do not depend on its connection. */
export function sparkMistakes({ application, java_class: javaClass, conf = {} }: SparkJobParams): readonly ParamMistake[] {
  const mistakes: ParamMistake[] = [];
  const inApplication = application === undefined ? undefined : refusedApplication(application);
  if (inApplication !== undefined) {
    mistakes.push({
      at: ['application'],
      message: `'application' cannot be '${application}': ${inApplication}.`,
      hint: 'allowed: a path under jobs/, s3://bucket/key, s3a://bucket/key or hdfs://host/path',
    });
  }
  const inClass = javaClass === undefined ? undefined : refusedClass(javaClass);
  if (inClass !== undefined) mistakes.push({ at: ['java_class'], message: `'java_class' cannot be ${javaClass}: ${inClass}.` });
  // An expression is a single string until it is evaluated.
  for (const [key, value] of Object.entries(isMap(conf) ? conf : {})) {
    const reason = refusedConf(key, String(value));
    if (reason !== undefined && !String(value).includes('{{'))
      mistakes.push({ at: ['conf', key], message: `'conf' cannot set ${key}: ${reason}.` });
  }
  return mistakes;
}

/**
 * Checks a Spark task against the rules of its connection.
 * @throws ApplicationFailure `InvalidParameters`; `AccessDenied`, which names what is not allowed and the connection field that can allow
 * it
 */
export function checkSparkPolicy(params: SparkJobParams, connection: SparkConnection): void {
  const { application, packages = [], conf = {} } = params;
  // A plan may be older than a rule that its file would break.
  const [mistake] = sparkMistakes(params);
  if (mistake) throw userFault('InvalidParameters', mistake.message);
  const deny = (what: string, allowed: readonly string[] | undefined, field: string): never => {
    const these = allowed?.length ? ` It allows: ${allowed.join(', ')}.` : '';
    throw userFault(
      'AccessDenied',
      `The Spark connection does not allow ${what}.${these} To allow it, add it in '${field}' of the connection.`,
    );
  };
  const { applications } = connection;
  if (application?.includes('://') && applications && !applications.some((each) => fits(application, each))) {
    deny(`'application: ${application}'`, applications, 'applications');
  }
  const foreign = packages.find((each) => connection.packages?.some((allowed) => fits(each, allowed)) === false);
  if (foreign !== undefined) deny(`the package ${foreign}`, connection.packages, 'packages');
  const property = Object.keys(conf).find((each) => !isAllowedConf(each, connection.conf ?? []));
  if (property !== undefined) deny(`'conf' to set ${property}`, connection.conf, 'conf');
}
