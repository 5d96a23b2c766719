import { expect, test } from 'vitest';
import { atOnce } from './at-once.ts';

/** Work that ends when it is told to. */
function workshop() {
  const ends = new Map<number, () => void>();
  let most = 0;
  const work = (item: number) =>
    new Promise<string>((resolve) => {
      ends.set(item, () => {
        ends.delete(item);
        resolve(`done ${item}`);
      });
      most = Math.max(most, ends.size);
    });
  const turn = () => new Promise(setImmediate);
  return { work, ends, turn, most: () => most };
}

test('so many at a time, and the next one as soon as one is done; results in the order of the items', async () => {
  const { work, ends, turn, most } = workshop();
  const all = atOnce(2, [1, 2, 3, 4], work);
  await turn();
  expect([...ends.keys()]).toEqual([1, 2]);
  ends.get(2)?.();
  await turn();
  expect([...ends.keys()]).toEqual([1, 3]);
  ends.get(3)?.();
  await turn();
  ends.get(4)?.();
  ends.get(1)?.();
  expect(await all).toEqual(['done 1', 'done 2', 'done 3', 'done 4']);
  expect(most()).toBe(2);
});

test('nothing to do', async () => {
  expect(await atOnce(3, [], async () => 'never')).toEqual([]);
});

test('fewer than may be at once', async () => {
  expect(await atOnce(100, [1, 2], async (item) => item * 2)).toEqual([2, 4]);
});

test('the first failure is the answer, and nothing more is begun', async () => {
  const { work, ends, turn } = workshop();
  const begun: number[] = [];
  const all = atOnce(2, [1, 2, 3, 4, 5], async (item) => {
    begun.push(item);
    await work(item);
    if (item === 2) throw new Error('no 2');
  });
  await turn();
  ends.get(2)?.();
  await expect(all).rejects.toThrow('no 2');
  ends.get(1)?.();
  await turn();
  expect(begun).toEqual([1, 2]);
});
