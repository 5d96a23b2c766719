import { expect, test } from 'vitest';
import { type Findings, isNothing, planUpgrade, type Running, type WantedImage } from './plan.ts';

const STARTED = new Date('2026-11-01T00:00:00Z');
const LATER = new Date('2026-11-02T00:00:00Z');

const running = (change: Partial<Running> = {}): Running => ({
  image: { reference: 'registry:2.8.3', id: 'sha256:old', version: '2.8.3' },
  container: 'c1',
  started: STARTED,
  configuration: 'hash',
  ...change,
});

const wanted = (change: Partial<WantedImage> = {}): WantedImage => ({
  reference: 'registry:2.8.3',
  id: 'sha256:old',
  version: '2.8.3',
  by: 'pin',
  newer: undefined,
  ...change,
});

const findings = (change: Partial<Findings> = {}): Findings => ({
  parts: ['registry'],
  running: new Map([['registry', running()]]),
  wanted: new Map([['registry', wanted()]]),
  configurations: new Map([['registry', 'hash']]),
  filesChanged: new Map([['registry', STARTED]]),
  ...change,
});

const another = (by: WantedImage['by']) =>
  findings({ wanted: new Map([['registry', wanted({ reference: 'registry:3.0.0', id: undefined, by })]]) });

test.each<[string, Findings, readonly string[]]>([
  ['all is as it is to be', findings(), []],
  ['this version wants another image', another('pin'), ['this version of Moorage wants it']],
  ['a person wants another image', another('setting'), ['.env says so']],
  ['the program changed', another('program'), ['the program changed']],
  ['what was undone comes back', another('before'), ['it ran before the last upgrade']],
  ['it does not run', findings({ running: new Map() }), ['it does not run']],
  [
    'the name leads elsewhere',
    findings({ wanted: new Map([['registry', wanted({ id: 'sha256:new' })]]) }),
    ['its name leads to another image'],
  ],
  [
    'there is something newer under the name',
    findings({ wanted: new Map([['registry', wanted({ id: undefined, newer: 'Debian has libc6 2.42' })]]) }),
    ['Debian has libc6 2.42'],
  ],
  [
    'Compose would start it with something else',
    findings({ configurations: new Map([['registry', 'other']]) }),
    ['its settings changed'],
  ],
  [
    'what it reads at its start is younger than it',
    findings({ filesChanged: new Map([['registry', LATER]]) }),
    ['its files changed since it was started'],
  ],
  ['nobody can say what Compose would start it with', findings({ configurations: new Map() }), []],
  [
    'another image is reason enough: its configuration differs by it',
    { ...another('pin'), configurations: new Map([['registry', 'other']]) },
    ['this version of Moorage wants it'],
  ],
])('why a part is replaced: %s', (_, found, why) => {
  const plan = planUpgrade(found);
  expect(plan.map((row) => row.why)).toEqual([why]);
  expect(isNothing(plan)).toBe(why.length === 0);
});

test('the mirror runs on the image of the registry', () => {
  const [row] = planUpgrade(findings({ parts: ['mirror'], running: new Map() }));
  expect(row?.next.reference).toBe('registry:2.8.3');
});
