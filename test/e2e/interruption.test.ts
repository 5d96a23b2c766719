import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Checkout, startOf } from '../support/checkout.ts';

let checkout: Checkout;

beforeAll(async () => {
  checkout = await Checkout.make();
});

afterAll(() => checkout.dispose());

/** All but the last: after that the password is shown, once. */
const STEPS = [
  'Settings',
  'Docker',
  'Images',
  'Configuration',
  'Placeholder',
  'First user',
  'Stack',
  'Registry',
  'Certificate',
  'Proof',
];

test.each(STEPS)('killed right after the step %s, the next run goes on', async (step) => {
  expect(await runUntil(step, 'SIGKILL')).toBe(true);
});

test.each(['Images', 'nginx', 'Certificate'])('Ctrl-C after %s ends it at once', async (step) => {
  expect(await runUntil(step, 'SIGINT')).toBe(true);
});

test('after all of that one run completes: one user, whose password works, and a proved registry', async () => {
  const result = await checkout.init();
  expect(result.firstUser?.name).toBe('admin');
  const { stdout: users } = await checkout.command('user', ['list', '--json']);
  expect(JSON.parse(users).map(({ name }: { name: string }) => name)).toEqual(['admin']);
  const login = `admin:${result.firstUser?.password}`;
  const url = `https://${checkout.authority}/v2/`;
  expect((await checkout.run('curl', ['-sS', '--cacert', 'var/ca/ca.crt', '-u', login, url])).stdout).toBe(
    '{}',
  );
  expect(result.steps.find(({ title }) => title === 'Proof')?.summary).toMatch(/^pushed and pulled/);
});

test('and the one after that changes nothing', async () => {
  const result = await checkout.init();
  expect(result).toMatchObject({ changed: false });
  expect(result.firstUser).toBeUndefined();
});

/** Runs init-tls until it reports the step, then sends the signal. Whether the step was seen. */
async function runUntil(step: string, signal: NodeJS.Signals): Promise<boolean> {
  const child = execa('node', startOf('init-tls', '--yes'), {
    cwd: checkout.root,
    env: checkout.env,
    reject: false,
    all: true,
  });
  let seen = false;
  for await (const line of child.iterable({ from: 'all' })) {
    if (!new RegExp(`^[=✓] ${step} `).test(line)) continue;
    seen = true;
    child.kill(signal);
    break;
  }
  await child;
  return seen;
}
