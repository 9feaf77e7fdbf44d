import { ApplicationFailure } from '@temporalio/activity';
import type { RabbitMQConnection } from '../../lib/rabbitmq.ts';
import { DriverMissing } from '../../lib/driver.ts';
import { explainClearText } from '../../lib/encryption.ts';
import { platformFault, userFault } from '../run/errors.ts';
import { errorText } from '../../workflows/plan/values/error-text.ts';

/** AMQP's reply codes. */
const ACCESS_REFUSED = 403;
const NOT_FOUND = 404;
const RESOURCE_LOCKED = 405;
const NOT_ALLOWED = 530;

/** Translates RabbitMQ's error for the analyst who sends a message to `queue`. */
export function rabbitmqFailure(error: unknown, { host, port, user, vhost }: RabbitMQConnection, queue: string): Error {
  if (error instanceof ApplicationFailure || error instanceof DriverMissing) return error;
  const text = explainClearText(errorText(error));
  const place = `${host}:${port}, vhost '${vhost}'`;
  const tried = `Could not send to the queue '${queue}' (${place}): ${text}.`;
  switch (replyCode(error)) {
    case NOT_FOUND:
      return userFault(
        'InvalidParameters',
        `There is no queue '${queue}' at ${place}. Check its name; sending does not create a queue: its consumer declares it.`,
        error,
      );
    case ACCESS_REFUSED:
    case RESOURCE_LOCKED:
    case NOT_ALLOWED:
      return userFault(
        'AccessDenied',
        `${tried} Check the connection: its password, its vhost, and what its user '${user}' may do there.`,
        error,
      );
    default:
      return platformFault(
        'ServiceUnavailable',
        `${tried} Check that RabbitMQ runs and can be reached from this worker; the task will try again.`,
        error,
      );
  }
}

function replyCode(error: unknown): unknown {
  if (!(error instanceof Error)) return undefined;
  if ('code' in error) return error.code;
  // A failed handshake has its code only in the message; a missing or forbidden vhost has no code there either.
  if (error.message.startsWith('Expected ConnectionOpenOk; got <ConnectionClose')) return NOT_ALLOWED;
  return Number(/^Handshake terminated by server: (\d+)/.exec(error.message)?.[1]);
}
