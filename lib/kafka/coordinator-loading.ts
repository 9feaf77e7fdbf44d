import { setTimeout as delay } from 'node:timers/promises';
import type { Admin, Kafka, Producer } from 'kafkajs';
import { kafkaErrorType } from './error-type.ts';
import { errorText } from '../../workflows/plan/values/error-text.ts';

/** Broker errors while the coordinator of a group or of producers is loading or moving: for seconds after brokers or a group start. */
const LOADING: ReadonlySet<string | undefined> = new Set([
  'GROUP_LOAD_IN_PROGRESS',
  'GROUP_COORDINATOR_NOT_AVAILABLE',
  'NOT_COORDINATOR_FOR_GROUP',
]);
const WITHIN_MS = 30_000;
const AGAIN_MS = 250;

/**
 * Retries while the coordinator is loading. kafkajs does so only for some requests.
 * @param options time limit in milliseconds (default: 30 s); `mayRepeat`: whether the request has had no effect
 * @throws what `ask` throws: other errors immediately, these after the time limit with the reason
 */
export async function whenLoaded<T>(
  ask: () => Promise<T>,
  { withinMs = WITHIN_MS, mayRepeat = () => true }: { readonly withinMs?: number; mayRepeat?(): boolean } = {},
): Promise<T> {
  for (const deadline = Date.now() + withinMs; ; await delay(AGAIN_MS)) {
    try {
      return await ask();
    } catch (error) {
      if (!LOADING.has(kafkaErrorType(error)) || !mayRepeat()) throw error;
      if (Date.now() >= deadline) {
        const reason = errorText(error);
        throw new Error(`Kafka's coordinator was not ready within ${withinMs / 1000} s: ${reason}`, { cause: error });
      }
    }
  }
}

/** Makes the admins and producers of a client wait for the coordinator, so that callers need not. Consumers: see kafkajs-source.ts. */
export function waitForCoordinators(kafka: Kafka): Kafka {
  const [admin, producer] = [kafka.admin.bind(kafka), kafka.producer.bind(kafka)];
  kafka.admin = (config) => patient(admin(config), () => true);
  // A producer gets its id when it connects. Sending is not retried here.
  kafka.producer = (config) => patient(producer(config), (method) => method === 'connect');
  return kafka;
}

function patient<T extends Admin | Producer>(client: T, isPatient: (method: string) => boolean): T {
  return new Proxy(client, {
    get(target, name, receiver): unknown {
      const value: unknown = Reflect.get(target, name, receiver);
      if (typeof value !== 'function' || typeof name !== 'string' || !isPatient(name)) return value;
      return (...args: unknown[]): unknown => {
        const call = (): unknown => value.apply(target, args);
        const first = call();
        // Registering a listener returns no promise and is not retried.
        if (!(first instanceof Promise)) return first;
        let next: Promise<unknown> | undefined = first;
        return whenLoaded(() => {
          const asked = next ?? (call() as Promise<unknown>);
          next = undefined;
          return asked;
        });
      };
    },
  });
}
