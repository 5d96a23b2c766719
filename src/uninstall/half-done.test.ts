import { expect, test } from 'vitest';
import { expectNoneInNeed } from './half-done.ts';

const cut = (command: string, step: string) => () =>
  expectNoneInNeed([{ command, step, since: new Date(0) }], true);

test('while another machine has not got everything what is here is not purged', () => {
  for (const step of ['', 'copy', 'drain', 'close', 'replay', 'verify'])
    expect(cut('move-to', step)).toThrow(/has not got everything/);
});

test('once it has, and for other commands, all may go', () => {
  for (const step of ['start', 'compare']) expect(cut('move-to', step)).not.toThrow();
  expect(cut('upgrade', 'images')).not.toThrow();
});
