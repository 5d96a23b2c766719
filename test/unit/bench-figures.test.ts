import { expect, test } from 'vitest';
import { evaluate, type Round } from '../bench/data/figures.ts';
import { FRONTS, type Front, MOORAGE } from '../bench/data/fronts.ts';
import type { Sample, Work } from '../bench/data/works.ts';
import { asMarkdown } from '../bench/document.ts';

const GIB = 1024 ** 3;
const OWN_TLS: Front = 'distribution, its own TLS';
const GUIDE: Front = 'nginx, as a guide has it';

const works: readonly Work[] = (['large', 'small', 'push'] as const).map((kind) => ({
  name: kind,
  unit: 'MB/s',
  kind,
  run: () => Promise.reject(new Error('this was measured')),
}));

/** Every front at 100 MB/s, a second of CPU and a byte written for each, but for what is said otherwise. */
function round(others: Partial<Record<Front, Partial<Sample>>>): Round {
  const samples = (front: Front): Sample => {
    return { value: 100, bytes: GIB, cpu: 1, written: GIB, ...others[front] };
  };
  return new Map(FRONTS.map((front) => [front, new Map(works.map(({ name }) => [name, samples(front)]))]));
}

function goal(goals: ReturnType<typeof evaluate>['goals'], name: string) {
  return goals.find((each) => each.name === name);
}

test('Moorage is held against the peer with the best median, in the rounds where both were measured', () => {
  const rounds = [
    round({ [OWN_TLS]: { value: 200 }, [MOORAGE]: { value: 300 } }),
    round({ [OWN_TLS]: { value: 400 }, [MOORAGE]: { value: 440 } }),
    round({ [OWN_TLS]: { value: 100 }, [GUIDE]: { value: 900 }, [MOORAGE]: { value: 120 } }),
  ];
  expect(goal(evaluate(works, rounds).goals, `large: Moorage / ${OWN_TLS}`)).toMatchObject({
    value: 1.2,
    met: true,
  });
});

test('distribution without TLS is nobody to be better than, but for the pushes', () => {
  const { goals } = evaluate(works, [round({ 'distribution, no TLS': { value: 1000 } })]);
  expect(goals.filter(({ name }) => name.includes('no TLS'))).toEqual([
    { name: 'push: Moorage / distribution, no TLS', value: 0.1, goal: '≥ 0.95', met: false },
  ]);
});

test.each([
  [{ value: 130 }, true],
  [{ value: 129 }, false],
  [{ value: 100, cpu: 0.7 }, true],
  [{ value: 100, cpu: 0.71 }, false],
])('a pull at %o, where nginx has 100 MB/s for a second of CPU: %s', (moorage, met) => {
  const { goals } = evaluate(works, [round({ [MOORAGE]: moorage })]);
  expect(goals.find(({ name, goal }) => name.startsWith('large') && goal.includes('1.3'))?.met).toBe(met);
});

test('a spooled upload shows in what is written, and misses the goal', () => {
  const { goals } = evaluate(works, [round({ [MOORAGE]: { written: 2 * GIB } })]);
  expect(goal(goals, 'Moorage: written to disk per byte pushed')).toMatchObject({ value: 2, met: false });
});

test('what is missed by less than the rounds differ by is called noise', () => {
  const rounds = [90, 95, 105].map((value) => round({ [MOORAGE]: { value } }));
  const { notes } = evaluate(works, rounds);
  expect(notes.join()).toContain('within the noise');
  expect(notes.join()).toContain(`push: Moorage / ${OWN_TLS}`);
  expect(evaluate(works, [round({ [MOORAGE]: { value: 90 } })]).notes).toEqual([]);
});

test('the table has a line for each measurement and a column for each front', () => {
  const result = evaluate(works, [round({}), round({ [MOORAGE]: { value: 120 } })]);
  const lines = asMarkdown({ bench: 'data', machine: 'here', ...result, sideBySide: true }).split('\n');
  const cells = (line: string | undefined) => line?.split('|').map((cell) => cell.trim()) ?? [];
  const head = cells(lines.find((line) => line.includes('| Moorage |')));
  const push = cells(lines.find((line) => line.startsWith('| push, MB/s')));
  expect(push[head.indexOf('Moorage')]).toBe('120 (100–120)');
  expect(push[head.indexOf('Caddy')]).toBe('100');
});
