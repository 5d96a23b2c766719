import { expect, test } from 'vitest';
import { Failure } from '../errors.ts';
import { atOnce, type Check, conduct } from './check.ts';
import { fine } from './finding.ts';

const check = (run: Check<undefined>['run'], within = 60_000): Check<undefined> => ({
  name: 'a',
  group: 'Stack',
  within,
  run,
});
const silent = () => undefined;

test.each<[string, Error, string, string | undefined]>([
  ['a failure is broken, with its remedy', new Failure('x', 'It is so.', 'Do this.'), 'broken', 'Do this.'],
  ['a defect leaves it open', new TypeError('no such thing'), 'unknown', undefined],
])('a check never ends the others: %s', async (_, error, verdict, say) => {
  const { finding } = await conduct(
    check(() => Promise.reject(error)),
    undefined,
    silent,
  );
  expect([finding.verdict, finding.fix?.say]).toEqual([verdict, say]);
});

test('a check that does not end is given up, and its connections are closed', async () => {
  let closed = false;
  const endless = check((_, { signal }) => {
    signal.addEventListener('abort', () => {
      closed = true;
    });
    return new Promise(() => undefined);
  }, 5);
  const { finding } = await conduct(endless, undefined, silent);
  expect(finding).toMatchObject({ verdict: 'unknown', detail: 'no end within 0.005 s' });
  expect(closed).toBe(true);
});

test('checks run at the same time and are told in their order', async () => {
  let open: () => void = silent;
  const second = new Promise<void>((resolve) => {
    open = resolve;
  });
  const told: string[] = [];
  await atOnce(
    [
      { ...check(() => second.then(() => fine(''))), name: 'first' },
      { ...check(async () => fine(String(open()))), name: 'second' },
    ],
    undefined,
    { waiting: silent, found: ({ name }) => void told.push(name) },
  );
  expect(told).toEqual(['first', 'second']);
});
