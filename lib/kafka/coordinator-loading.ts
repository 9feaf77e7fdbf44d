import { setTimeout as delay } from 'node:timers/promises';
import type { Admin, Kafka, Producer } from 'kafkajs';
import { kafkaErrorType } from './error-type.ts';
import { errorText } from '../../workflows/plan/values/error-text.ts';

/** What brokers answer while the coordinator of a group or of producers is loading or moves: for seconds after they, or a group, have started. */
const LOADING: ReadonlySet<string | undefined> = new Set([
  'GROUP_LOAD_IN_PROGRESS',
  'GROUP_COORDINATOR_NOT_AVAILABLE',
  'NOT_COORDINATOR_FOR_GROUP',
]);
const WITHIN_MS = 30_000;
const AGAIN_MS = 250;

/**
 * Asks again while the coordinator is loading. kafkajs does so for some requests only.
 * @param options how long, in milliseconds (default: 30 s); `mayRepeat`: whether what was asked for has had no effect
 * @throws what `ask` throws, at once where it is something else; after the time with the reason
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

/** Makes the admins and producers of a client wait for the coordinator, so that no caller has to think of it. Consumers: see kafkajs-source.ts. */
export function waitForCoordinators(kafka: Kafka): Kafka {
  const [admin, producer] = [kafka.admin.bind(kafka), kafka.producer.bind(kafka)];
  kafka.admin = (config) => patient(admin(config), () => true);
  // A producer gets its id when it connects. What it sends it does not send again here.
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
        // Its listeners are not asked again.
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
