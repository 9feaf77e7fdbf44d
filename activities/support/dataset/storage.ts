import type { S3Client } from '@aws-sdk/client-s3';
import { type AwsConnection, openS3 } from '../../../lib/s3.ts';

/** An open S3 client, with what failures need to say where it points. */
export interface Storage {
  readonly client: S3Client;
  /** The connection's name, as pipelines write it: `aws_default`. */
  readonly connection: string;
  /** Where the server is, for messages: a URL, or AWS and the region. */
  readonly server: string;
}

/** Opens the S3 connection called `name`. The caller ends it: `storage.client.destroy()`. */
export function openStorage(connection: AwsConnection, name: string): Storage {
  return {
    client: openS3(connection),
    connection: name,
    server: connection.endpoint_url ?? `AWS S3 in ${connection.region_name}`,
  };
}
