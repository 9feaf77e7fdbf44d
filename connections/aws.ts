import { encryptedUrl } from '../lib/encryption.ts';
import type { AwsConnection } from '../lib/s3.ts';
import { defineConnection } from './define-connection.ts';
import { ENCODE, serverParts } from './uri.ts';

export const aws = defineConnection<AwsConnection>({
  type: 'aws',
  description: 'Amazon S3, or another server that speaks its protocol',
  schemes: ['aws', 's3'],
  example: "'aws://KEY:SECRET@/?region_name=eu-west-1'",
  fields: {
    access_key_id: {
      description: 'the access key; by default the credentials that the AWS SDK finds (role of the machine, profile, environment)',
    },
    secret_access_key: { description: 'the secret of the access key', secret: 'all' },
    region_name: { description: 'the region; by default `us-east-1`', isOption: true, inExpressions: 'string' },
    endpoint_url: { description: 'the URL of another S3 server', isOption: true, secret: 'address', inExpressions: 'string' },
    tls: { description: 'whether to encrypt the connection to `endpoint_url`; by default `true`, except on this machine', isOption: true },
  },
  fieldsOfUri(uri) {
    const { user, password, host, path, options } = serverParts(uri);
    if (path !== '') return uri.fail(`a URI of type aws has no path; ${ENCODE}`);
    if (host !== '') return uri.fail(`a URI of type aws has no host: aws://KEY:SECRET@/?endpoint_url=…; ${ENCODE}`);
    return { ...options, access_key_id: user, secret_access_key: password };
  },
  read({ optional, address, tls, fail }) {
    const [key, secret, endpoint] = [optional('access_key_id'), optional('secret_access_key'), address('endpoint_url')];
    if ((key === undefined) !== (secret === undefined)) fail("'access_key_id' and 'secret_access_key' must be set together.");
    return {
      type: 'aws',
      region_name: optional('region_name') ?? 'us-east-1',
      ...(key !== undefined && secret !== undefined && { access_key_id: key, secret_access_key: secret }),
      ...(endpoint !== undefined && { endpoint_url: encryptedUrl(endpoint, tls, fail) }),
    };
  },
  async check(connection) {
    const { bucketNames, openS3 } = await import('../lib/s3.ts');
    const client = openS3(connection);
    try {
      return `S3 at ${connection.endpoint_url ?? connection.region_name}, buckets: ${(await bucketNames(client)).join(', ') || 'none'}`;
    } finally {
      client.destroy();
    }
  },
});
