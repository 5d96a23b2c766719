import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { digestOf } from '../../src/registry/digest.ts';
import { GuardedStack } from '../support/guarded-stack.ts';
import { paced, repeated, Transfer } from '../support/transfer.ts';

const KB = 1000;
const MiB = 1024 * 1024;
/** Most defaults of nginx, of Node and of proxies are 60 s. */
const PAUSE = 70_000;
const SLOW_PUSH = { perSecond: 200 * KB, seconds: 90 };
const SLOW_PULL = { perSecond: 64 * 1024, seconds: 75 };

let stack: GuardedStack;
let transfer: Transfer;

beforeAll(async () => {
  stack = await GuardedStack.open('users:\n  admin: [admin]\n', ['nobody']);
  transfer = new Transfer(stack, 'team/slow');
});

afterAll(() => stack?.checkout.dispose());

describe.concurrent('a slow line', () => {
  test('a push at 200 kB/s goes on past every usual time limit', async () => {
    const piece = randomBytes(SLOW_PUSH.perSecond / 10);
    const digest = await transfer.push(paced(repeated(piece, SLOW_PUSH.seconds * 10), SLOW_PUSH.perSecond));
    expect(await transfer.pull(digest)).toEqual({ digest, size: SLOW_PUSH.perSecond * SLOW_PUSH.seconds });
  });

  test('a push that stands still for 70 s in the middle of a layer goes on', async () => {
    const halves = [randomBytes(MiB), randomBytes(MiB)] as const;
    const digest = await transfer.push(
      (async function* () {
        yield halves[0];
        await sleep(PAUSE);
        yield halves[1];
      })(),
    );
    expect(digest).toBe(digestOf(Buffer.concat(halves)));
    expect(await transfer.pull(digest)).toEqual({ digest, size: 2 * MiB });
  });

  test('so does a pull at 64 KiB/s', async () => {
    const digest = await transfer.push(repeated(randomBytes(MiB), 32));
    const slowly = pacing(SLOW_PULL.perSecond, SLOW_PULL.seconds);
    expect(await transfer.pull(digest, slowly)).toEqual({ digest, size: 32 * MiB });
  });

  test('and a pull that stands still for 70 s', async () => {
    const digest = await transfer.push(repeated(randomBytes(MiB), 48));
    let paused = false;
    const onceInTheMiddle = async (received: number) => {
      if (paused || received < 4 * MiB) return;
      paused = true;
      await sleep(PAUSE);
    };
    expect(await transfer.pull(digest, onceInTheMiddle)).toEqual({ digest, size: 48 * MiB });
    expect(paused).toBe(true);
  });
});

/** For so many seconds; what is left then comes as it can. */
function pacing(perSecond: number, seconds: number): (received: number) => Promise<void> {
  let before = 0;
  return async (received) => {
    if (received > perSecond * seconds) return;
    await sleep(((received - before) / perSecond) * 1000);
    before = received;
  };
}
