import { hasDotSegment } from '../../workflows/plan/values/dot-segments.ts';

/** Spark properties that a pipeline may set on every connection: sizes, times and switches. None of them names code, a file or a server. */
const ALLOWED: readonly RegExp[] = [
  /^spark\.(driver|executor)\.(cores|memory|memoryOverhead|memoryOverheadFactor)$/,
  /^spark\.executor\.(instances|pyspark\.memory|heartbeatInterval)$/,
  /^spark\.driver\.maxResultSize$/,
  /^spark\.(default\.parallelism|task\.(cpus|maxFailures)|stage\.maxConsecutiveAttempts|speculation|scheduler\.mode|yarn\.(queue|maxAppAttempts))$/,
  /^spark\.(dynamicAllocation|memory|speculation|locality|cleaner|excludeOnFailure|kryoserializer\.buffer)\.[\w.]+$/,
  /^spark\.(network|rpc|core\.connection\.ack\.wait)\.(\w+\.)*\w*[tT]imeout$/,
  /^spark\.(rdd\.compress|checkpoint\.compress|io\.compression\.[a-z0-9]+\.(level|blockSize|bufferPool\.enabled|workers))$/,
  /^spark\.(shuffle|broadcast|reducer)\.([\w.]+\.)?(compress|checksum|blockSize|buffer|maxRetries|retryWait|maxSizeInFlight|maxReqsInFlight|bypassMergeThreshold)$/,
  /^spark\.files\.(maxPartitionBytes|openCostInBytes)$/,
  /^spark\.sql\.(session\.timeZone|autoBroadcastJoinThreshold|broadcastTimeout|caseSensitive|crossJoin\.enabled|storeAssignmentPolicy|mapKeyDedupPolicy)$/,
  /^spark\.sql\.(shuffle|adaptive|files|orc|csv|json|avro|ansi|legacy|cbo|statistics|optimizer|join|inMemoryColumnarStorage|codegen|decimalOperations|datetime)\.[\w.]+$/,
  /^spark\.sql\.parquet\.(?!output\.)[\w.]+$/,
  /^spark\.sql\.execution\.(arrow|pandas|sortBeforeRepartition|rangeExchange|topKSortFallbackThreshold)[\w.]*$/,
  /^spark\.sql\.sources\.(partitionOverwriteMode|partitionColumnTypeInference\.enabled|parallelPartitionDiscovery\.\w+|bucketing\.[\w.]+|ignoreDataLocality)$/,
  /^spark\.hadoop\.fs\.s3a\.(connection\.(maximum|timeout|establish\.timeout)|threads\.max|max\.total\.tasks|block\.size|multipart\.(size|threshold)|attempts\.maximum|readahead\.range|experimental\.input\.fadvise)$/,
  /^spark\.hadoop\.(mapreduce\.fileoutputcommitter\.algorithm\.version|parquet\.(block|page)\.size)$/,
];

/** Properties whose value is a list of JVM options. */
const JAVA_OPTIONS = /^spark\.(driver|executor)\.(default|extra)JavaOptions$/;

/** JVM options for sizing and tuning. Others load agents, read option files, or run a program on an event. */
const ALLOWED_JAVA: readonly RegExp[] = [
  /^-X(ss|mn)\d+[kKmMgG]?$/,
  /^-(ea|verbose:gc|server)$/,
  /^-XX:[+-](Use\w+GC|UseStringDeduplication|UseCompressedOops|UseNUMA|AlwaysPreTouch|ExitOnOutOfMemoryError|TieredCompilation|DisableExplicitGC|PrintGC\w*|ParallelRefProcEnabled)$/,
  /^-XX:(TieredStopAtLevel|MaxGCPauseMillis|ParallelGCThreads|ConcGCThreads|InitiatingHeapOccupancyPercent|NewRatio|SurvivorRatio|CICompilerCount|ActiveProcessorCount)=\d+$/,
  /^-XX:(G1HeapRegionSize|MaxMetaspaceSize|MetaspaceSize|ReservedCodeCacheSize|MaxDirectMemorySize|StringTableSize)=\d+[kKmMgG]?$/,
  /^-D(user\.timezone|file\.encoding|user\.language|user\.country)=[\w/+-]+$/,
  // A property of the job itself.
  /^-D(?!(java|javax|sun|com|jdk|log4j\w*|logback|logging|slf4j|spark|pyspark|hadoop|yarn|hive|org|io|net|scala|py4j|derby|ivy|user|file|http|https|ftp|socks\w*|jna|os)\b)[A-Za-z]\w*(\.\w+)*=[\w.,:/+-]*$/i,
];

/** Classes of Java or Spark: as a job's main class they would run whatever its arguments say. */
const FOREIGN_CLASS = /^(java|javax|jdk|sun|com\.sun|org\.apache|scala|py4j)\./;

/** The reason why a pipeline may not set this property to this value on any connection; undefined if it may. */
export function refusedConf(key: string, value: string): string | undefined {
  if (!/^spark\.[A-Za-z][\w.-]*$/.test(key)) return 'the name of a property has letters, digits, dots, _ and -';
  if (/\.(access|secret|session)\.?(key|token)$|password/i.test(key))
    return "keys do not belong in a pipeline: name a connection with 'aws_conn_id'";
  if (/[\p{Cc}]/u.test(value)) return 'its value holds a control character';
  if (!JAVA_OPTIONS.test(key)) return undefined;
  const option = value.split(/\s+/).find((each) => each !== '' && !ALLOWED_JAVA.some((allowed) => allowed.test(each)));
  return option === undefined ? undefined : `the option ${option} of Java is not one that only sizes or tunes it`;
}

/** Whether a pipeline may set this property on a connection that also allows `more`: names, or prefixes that end with `*`. */
export function isAllowedConf(key: string, more: readonly string[]): boolean {
  return JAVA_OPTIONS.test(key) || ALLOWED.some((each) => each.test(key)) || more.some((each) => fits(key, each));
}

/** The reason why an application is refused on any connection: it would be downloaded from an arbitrary server, or is not in jobs/. */
export function refusedApplication(application: string): string | undefined {
  const scheme = /^([A-Za-z][\w+.-]*):/.exec(application)?.[1];
  if (scheme === undefined) return undefined;
  if (!/^(s3a?:\/\/[^/]+|hdfs:\/\/[^/]*)\/./.test(application)) return `its scheme is '${scheme}'`;
  if (!/^[a-z0-9]+:\/\/([A-Za-z0-9][A-Za-z0-9._-]*(:\d+)?)?\//.test(application))
    return 'its bucket or its host has other characters than letters, digits, dots, _ and -';
  return /[\s\p{Cc},#?]/u.test(application) || hasDotSegment(application)
    ? "it holds a blank, ',', '#', '?' or a part '.' or '..'"
    : undefined;
}

/** The reason why a class cannot be the main class of a job; undefined if it can. */
export function refusedClass(name: string): string | undefined {
  return FOREIGN_CLASS.test(name) ? 'it is part of Java or Spark, not of a job' : undefined;
}

/** Whether a text equals the allowed one, or starts with it if it ends with `*`. */
export function fits(text: string, allowed: string): boolean {
  return allowed.endsWith('*') ? text.startsWith(allowed.slice(0, -1)) : text === allowed;
}
