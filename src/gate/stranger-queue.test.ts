import { expect, test } from 'vitest';
import { StrangerQueue, type Waiting } from './stranger-queue.ts';

interface Turn extends Waiting {
  readonly id: string;
}

function turn(id: string, origin: string, suspect = false): Turn {
  return { id, origin, suspect };
}

function drain(queue: StrangerQueue<Turn>): string {
  const ids: string[] = [];
  for (let job = queue.take(); job !== undefined; job = queue.take()) ids.push(job.id);
  return ids.join(' ');
}

test('origins take turns, in the order in which they came', () => {
  const queue = new StrangerQueue<Turn>({ inAll: 10, suspects: 10, perOrigin: 3 });
  for (const id of ['a1', 'a2', 'a3', 'b1', 'b2', 'c1']) queue.add(turn(id, id.charAt(0)));
  expect(queue.size).toBe(6);
  expect(drain(queue)).toBe('a1 b1 c1 a2 b2 a3');
  expect(queue.size).toBe(0);
});

test('origins with failures come after those without', () => {
  const queue = new StrangerQueue<Turn>({ inAll: 10, suspects: 10, perOrigin: 3 });
  queue.add(turn('bad1', 'x', true));
  queue.add(turn('bad2', 'y', true));
  queue.add(turn('good', 'z'));
  expect(drain(queue)).toBe('good bad1 bad2');
});

test('an origin has so many places and no more, whatever became of it meanwhile', () => {
  const queue = new StrangerQueue<Turn>({ inAll: 10, suspects: 10, perOrigin: 2 });
  expect(queue.add(turn('a1', 'a'))).toBeUndefined();
  expect(queue.add(turn('a2', 'a', true))).toBeUndefined();
  expect(queue.add(turn('a3', 'a', true))?.id).toBe('a3');
  expect(queue.add(turn('b1', 'b'))).toBeUndefined();
  expect(drain(queue)).toBe('a1 b1 a2');
});

test('a full queue takes nobody, but a suspect makes place for whoever is not', () => {
  const queue = new StrangerQueue<Turn>({ inAll: 3, suspects: 3, perOrigin: 2 });
  for (const id of ['x1', 'x2', 'y1']) queue.add(turn(id, id.charAt(0), true));
  expect(queue.add(turn('z1', 'z', true))?.id, 'as suspect as they are').toBe('z1');
  expect(queue.add(turn('a1', 'a'))?.id).toBe('x2');
  expect(queue.add(turn('b1', 'b'))?.id).toBe('x1');
  expect(queue.add(turn('c1', 'c'))?.id).toBe('y1');
  expect(queue.add(turn('d1', 'd'))?.id, 'nobody is suspect any more').toBe('d1');
  expect(queue.size).toBe(3);
  expect(drain(queue)).toBe('a1 b1 c1');
});

test('suspects get so many of the places and no more', () => {
  const queue = new StrangerQueue<Turn>({ inAll: 10, suspects: 2, perOrigin: 3 });
  for (const id of ['x', 'y']) expect(queue.add(turn(id, id, true))).toBeUndefined();
  expect(queue.add(turn('z', 'z', true))?.id).toBe('z');
  expect(queue.add(turn('a', 'a'))).toBeUndefined();
  expect([queue.size, queue.suspects]).toEqual([3, 2]);
  queue.take();
  queue.take();
  expect([queue.size, queue.suspects]).toEqual([1, 1]);
  expect(queue.add(turn('z', 'z', true)), 'there is a place again').toBeUndefined();
});

test('while suspects have to wait, only others are taken', () => {
  const queue = new StrangerQueue<Turn>({ inAll: 10, suspects: 10, perOrigin: 3 });
  queue.add(turn('bad', 'x', true));
  queue.add(turn('good', 'a'));
  expect(queue.take('clean')?.id).toBe('good');
  expect(queue.take('clean')).toBeUndefined();
  expect(queue.take()?.id).toBe('bad');
});
