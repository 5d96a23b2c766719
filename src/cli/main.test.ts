import { Command } from 'commander';
import { expect, test } from 'vitest';
import { main } from './main.ts';

test('what a command makes can be read by the users that parts run as, whatever the person’s umask', async () => {
  const before = process.umask(0o077);
  const argv = process.argv;
  process.argv = ['node', 'a-command'];
  let during: number | undefined;
  try {
    const command = new Command('a-command').action(() => {
      during = process.umask();
    });
    await main(command);
  } finally {
    process.umask(before);
    process.argv = argv;
  }
  expect(during).toBe(0o022);
});
