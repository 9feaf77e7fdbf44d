import type { S3Client } from '@aws-sdk/client-s3';
import { type AwsConnection, openS3 } from '../../../lib/s3.ts';

/** An open S3 client, with its location for error messages. */
export interface Storage {
  readonly client: S3Client;
  /** The connection's name, as pipelines write it: `aws_default`. */
  readonly connection: string;
  /** The server, for messages: a URL, or AWS and the region. */
  readonly server: string;
}

/** Opens the S3 connection named `name`. The caller closes it: `storage.client.destroy()`. */
export function openStorage(connection: AwsConnection, name: string): Storage {
  return {
    client: openS3(connection),
    connection: name,
    server: connection.endpoint_url ?? `AWS S3 in ${connection.region_name}`,
  };
}
