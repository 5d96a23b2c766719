/** Does `work` for each item, at most `many` at a time; results in the order of the items. The first failure ends it. */
export async function atOnce<T, R>(
  many: number,
  items: readonly T[],
  work: (item: T) => Promise<R>,
): Promise<R[]> {
  const results: R[] = [];
  const waiting = items.entries();
  let failed = false;
  const takeTurns = async () => {
    for (const [index, item] of waiting) {
      results[index] = await work(item);
      if (failed) return;
    }
  };
  try {
    await Promise.all(Array.from({ length: Math.min(many, items.length) }, takeTurns));
  } catch (error) {
    failed = true;
    throw error;
  }
  return results;
}
