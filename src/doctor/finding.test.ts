import { expect, test } from 'vitest';
import { broken, type Finding, fine, skipped, together, unknown, warning } from './finding.ts';

const NONE = fine('nothing to look at');

test.each<[string, Finding[], Pick<Finding, 'verdict' | 'detail'> & { say?: string }]>([
  ['none', [], { verdict: 'fine', detail: 'nothing to look at' }],
  ['all fine', [fine('a'), fine('b'), fine('a')], { verdict: 'fine', detail: 'a; b' }],
  ['fine beats skipped', [skipped('x'), fine('a')], { verdict: 'fine', detail: 'a' }],
  [
    'the worst comes first, and fixes stand once',
    [warning('w', 'do it'), fine('a'), broken('b', 'do it'), unknown('u')],
    { verdict: 'broken', detail: 'b\nw\nu', say: 'do it' },
  ],
])('%s', (_, findings, expected) => {
  const { verdict, detail, fix } = together(findings, NONE);
  expect({ verdict, detail, ...(fix === undefined ? {} : { say: fix.say }) }).toEqual(expected);
});

test('what is safe is done in order, for each of them', async () => {
  const did: string[] = [];
  const doing = (what: string) => async () => {
    did.push(what);
    return what;
  };
  const both = together([broken('a', 'x', doing('one')), broken('b', 'y', doing('two'))], NONE);
  expect(await both.fix?.safe?.()).toBe('one; two');
  expect(did).toEqual(['one', 'two']);
});
