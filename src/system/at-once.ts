/** Does `work` for each item, at most `many` at a time; results in the order of the items. The first failure ends it. */
export async function atOnce<T, R>(
  many: number,
  items: readonly T[],
  work: (item: T) => Promise<R>,
): Promise<R[]> {
  const results: R[] = [];
  const waiting = items.entries();
  const takeTurns = async () => {
    for (const [index, item] of waiting) results[index] = await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(many, items.length) }, takeTurns));
  return results;
}
