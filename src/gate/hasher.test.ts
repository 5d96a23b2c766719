import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeAll, expect, test, vi } from 'vitest';
import { ManualClock } from '../../test/support/manual-clock.ts';
import { Secret } from '../secret.ts';
import { systemClock } from '../system/clock.ts';
import { hashPassword } from '../users/password.ts';
import { type Comparison, HASH_WORKER, type HasherOptions, type Lane, WorkerHasher } from './hasher.ts';

const KNOWN: Lane = { kind: 'known' };
/** Answers at once that it took 30 ms; does what a password tells it. */
const OBEDIENT = `
  import { parentPort } from 'node:worker_threads';
  parentPort.on('message', ({ password }) => {
    if (password === 'throw') throw new Error('out of order');
    if (password === 'exit') process.exit(3);
    while (password === 'hang');
    parentPort.postMessage({ right: password === 'right', took: 30 });
  });
`;

let obedient: URL;
const open: WorkerHasher[] = [];

beforeAll(async () => {
  const path = join(await mkdtemp(join(tmpdir(), 'moorage-hasher-')), 'worker.mjs');
  await writeFile(path, OBEDIENT);
  obedient = pathToFileURL(path);
});

afterEach(async () => {
  for (const hasher of open.splice(0)) await hasher.close();
});

function hasherOf(options: Partial<HasherOptions>): WorkerHasher {
  const hasher = new WorkerHasher({ worker: obedient, clock: systemClock, cores: 2, ...options });
  open.push(hasher);
  return hasher;
}

function stranger(origin: string, suspect = false): Lane {
  return { kind: 'stranger', origin, suspect };
}

function saying(password: string, hash = '', padding: readonly string[] = []): Comparison {
  return { password: new Secret(password), hash, padding };
}

/** The rests, without the watch over a comparison. */
function rests(clock: ManualClock) {
  return [...clock.sleeping].filter(({ milliseconds }) => milliseconds < 1_000);
}

test('tells right from wrong, in both lanes, with padding', async () => {
  const hasher = hasherOf({ worker: HASH_WORKER });
  const hash = await hashPassword(new Secret('pässword'), 4);
  const padding = [hash, hash];
  expect(await hasher.compare(saying('pässword', hash, padding), KNOWN)).toEqual({ kind: 'right' });
  expect(await hasher.compare(saying('password', hash, padding), KNOWN)).toEqual({ kind: 'wrong' });
  expect(await hasher.compare(saying('pässword', hash), stranger('a'))).toEqual({ kind: 'right' });
  expect(await hasher.compare(saying('', hash, padding), stranger('a'))).toEqual({ kind: 'wrong' });
});

test('50 strangers don’t hold up a known one', async () => {
  const hasher = hasherOf({ worker: HASH_WORKER });
  const hash = await hashPassword(new Secret('right'), 4);
  let strangers = 0;
  const all = Array.from({ length: 50 }, async (_, index) => {
    const outcome = await hasher.compare(saying(`guess ${index}`, hash), stranger(String(index)));
    strangers += 1;
    return outcome.kind;
  });
  expect(await hasher.compare(saying('right', hash), KNOWN)).toEqual({ kind: 'right' });
  expect(strangers, 'only the one under way came first').toBeLessThanOrEqual(1);
  expect(new Set(await Promise.all(all))).toEqual(new Set(['wrong']));
});

test('after each stranger the lane rests, so that 15 % of two cores are used; the known are not held up', async () => {
  const clock = new ManualClock();
  const hasher = hasherOf({ clock });
  expect(await hasher.compare(saying('right'), stranger('a')), 'the first is not held up').toEqual({
    kind: 'right',
  });
  const [rest] = rests(clock);
  expect(rest?.milliseconds).toBeCloseTo(30 / 0.3 - 30);
  let second: unknown;
  const waiting = hasher.compare(saying('wrong'), stranger('b')).then((outcome) => {
    second = outcome;
  });
  expect(await hasher.compare(saying('right'), KNOWN)).toEqual({ kind: 'right' });
  expect(second).toBeUndefined();
  expect(rests(clock), 'a known one is followed by no rest').toEqual([rest]);
  rest?.wake();
  await waiting;
  expect(second).toEqual({ kind: 'wrong' });
});

test('after a suspect the next suspect waits for longer, so that 6 % of two cores are used; the others do not', async () => {
  const clock = new ManualClock();
  const hasher = hasherOf({ clock });
  await hasher.compare(saying('wrong'), stranger('a', true));
  const [short, long] = rests(clock);
  expect(short?.milliseconds).toBeCloseTo(30 / 0.3 - 30);
  expect(long?.milliseconds).toBeCloseTo(30 / 0.12 - 30);
  let suspect: unknown;
  const waiting = hasher.compare(saying('wrong'), stranger('b', true)).then((outcome) => {
    suspect = outcome;
  });
  const good = hasher.compare(saying('right'), stranger('c'));
  short?.wake();
  expect(await good).toEqual({ kind: 'right' });
  for (const rest of rests(clock)) if (rest !== long) rest.wake();
  expect(await hasher.compare(saying('right'), KNOWN)).toEqual({ kind: 'right' });
  expect(suspect, 'still has to wait').toBeUndefined();
  long?.wake();
  await waiting;
  expect(suspect).toEqual({ kind: 'wrong' });
});

test('a machine of many cores needs no rest', async () => {
  const clock = new ManualClock();
  const hasher = hasherOf({ clock, cores: 8 });
  await hasher.compare(saying('right'), stranger('a'));
  expect(rests(clock)).toEqual([]);
  expect(await hasher.compare(saying('right'), stranger('a'))).toEqual({ kind: 'right' });
});

test('whoever finds no place is told when to come again', async () => {
  const clock = new ManualClock();
  const hasher = hasherOf({ clock, limits: { inAll: 3, suspects: 3, perOrigin: 2 } });
  const running = hasher.compare(saying('right'), stranger('a'));
  const waiting = ['b', 'b'].map((origin) => hasher.compare(saying('wrong'), stranger(origin, true)));
  expect(await hasher.compare(saying('wrong'), stranger('b', true))).toEqual({ kind: 'busy', seconds: 5 });
  waiting.push(hasher.compare(saying('wrong'), stranger('c', true)));
  const good = hasher.compare(saying('right'), stranger('d'));
  expect(await waiting[1], 'makes place for one without failures').toEqual({ kind: 'busy', seconds: 5 });
  await running;
  for (const outcome of [good, waiting[0], waiting[2]]) {
    await vi.waitFor(() => expect(rests(clock)).not.toEqual([]));
    for (const rest of rests(clock)) rest.wake();
    await outcome;
  }
  expect(await good).toEqual({ kind: 'right' });
  expect(await waiting[0]).toEqual({ kind: 'wrong' });
  expect(await waiting[2]).toEqual({ kind: 'wrong' });
});

test.each(['throw', 'exit'])(
  'a thread that dies (%s) is replaced, and who waited is served',
  async (order) => {
    const hasher = hasherOf({});
    const lost = hasher.compare(saying(order), stranger('a'));
    const waiting = hasher.compare(saying('right'), stranger('b'));
    await expect(lost).rejects.toMatchObject({ name: 'Failure', code: 'hasher-failed' });
    expect(await waiting).toEqual({ kind: 'right' });
    await expect(hasher.compare(saying(order), KNOWN)).rejects.toMatchObject({ code: 'hasher-failed' });
    expect(await hasher.compare(saying('right'), KNOWN)).toEqual({ kind: 'right' });
  },
);

test('a thread that hangs is given up after a while, and replaced', async () => {
  const clock = new ManualClock();
  const hasher = hasherOf({ clock, patience: 5_000 });
  const lost = hasher.compare(saying('hang'), KNOWN);
  const waiting = hasher.compare(saying('right'), KNOWN);
  const [watch] = [...clock.sleeping].filter(({ milliseconds }) => milliseconds === 5_000);
  watch?.wake();
  await expect(lost).rejects.toMatchObject({ code: 'hasher-failed' });
  expect(await waiting).toEqual({ kind: 'right' });
});

test('a worker that isn’t there fails every login, and hangs none', async () => {
  const hasher = hasherOf({ worker: new URL('./no-such-worker.mjs', import.meta.url) });
  const all = ['a', 'b', 'c'].map((origin) => hasher.compare(saying('right'), stranger(origin)));
  for (const outcome of all) await expect(outcome).rejects.toMatchObject({ code: 'hasher-failed' });
});

test('closing fails whoever is under way, waits or comes later', async () => {
  const hasher = hasherOf({});
  const lanes = [KNOWN, KNOWN, stranger('a')];
  const all = lanes.map((lane) => hasher.compare(saying('hang'), lane));
  const results = Promise.allSettled(all);
  await hasher.close();
  const late = hasher.compare(saying('right'), KNOWN);
  for (const result of [...(await results), ...(await Promise.allSettled([late]))])
    expect(result).toMatchObject({ status: 'rejected', reason: { code: 'hasher-closed' } });
});
