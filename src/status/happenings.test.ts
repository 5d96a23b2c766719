import { expect, test } from 'vitest';
import { happenings } from './happenings.ts';

const at = (hour: number) => new Date(Date.UTC(2026, 6, 1, hour));
const event = (hour: number, text: string) => ({ at: at(hour), by: 'gc', kind: 'done' as const, text });

test('events and what came of certificates, the newest first, steps on the way left out', () => {
  const ledger = [
    { at: at(1), event: 'order' as const, names: ['a'] },
    { at: at(2), event: 'failed' as const, names: ['a'], message: 'the CA is away\nand more' },
    { at: at(4), event: 'issued' as const, names: ['a'] },
    { at: at(5), event: 'served' as const, names: ['a', 'b', 'c'] },
  ];
  expect(happenings([event(3, 'one\ntwo'), event(6, 'three')], ledger, 10)).toEqual([
    { at: at(6), by: 'gc', kind: 'done', text: 'three' },
    { at: at(5), by: 'certificate', kind: 'done', text: 'a new one is served for a and 2 more names' },
    { at: at(3), by: 'gc', kind: 'done', text: 'one' },
    { at: at(2), by: 'certificate', kind: 'trouble', text: 'not renewed: the CA is away' },
  ]);
});

test('no more than are wanted', () => {
  expect(happenings([event(1, 'a'), event(2, 'b'), event(3, 'c')], [], 2).map(({ text }) => text)).toEqual([
    'c',
    'b',
  ]);
});
