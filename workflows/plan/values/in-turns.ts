/**
 * Processes a list in order, a limited number of items at a time.
 * @param work returns false to start no further items
 * @throws the first failure; no further items are started then
 */
export async function inTurns<T>(
  items: readonly T[],
  atOnce: number,
  work: (item: T, index: number) => Promise<boolean | void>,
): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let index = next++; index < items.length; index = next++) {
      try {
        if ((await work(items[index] as T, index)) === false) next = items.length;
      } catch (error) {
        next = items.length;
        throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, worker));
}
