/** A key, or a prefix of keys, in a bucket. */
export interface S3Location {
  readonly bucket: string;
  readonly key: string;
}

/**
 * Reads `s3://bucket/key`; the key may be empty.
 * @throws TypeError when `uri` is not an S3 URI
 */
export function parseS3Uri(uri: string): S3Location {
  const match = /^s3:\/\/([^/]+)(?:\/(.*))?$/s.exec(uri);
  if (!match?.[1]) throw new TypeError(`'${uri}' is not of the form s3://bucket/key.`);
  return { bucket: match[1], key: match[2] ?? '' };
}

export function formatS3Uri({ bucket, key }: S3Location): string {
  return `s3://${bucket}/${key}`;
}
