import { expect, test } from 'vitest';
import { merge } from './exposition.ts';

const one = (text: string) => merge([{ part: 'one', text }]);

test('what a part wrote comes out as it went in: histograms, labels of all sorts, values of all sorts', () => {
  const text = `# HELP a_seconds How long "it" takes.\\n
# TYPE a_seconds histogram
a_seconds_bucket{le="0.1"} 1
a_seconds_bucket{le="+Inf"} 3
a_seconds_sum 1.5e-07
a_seconds_count 3
# HELP b Labels.
# TYPE b gauge
b{path="C:\\\\dir",said="\\"a, b}\\"\\n"} -Inf
b{path=""} NaN
b 1.7976931348623157e+308
`;
  expect(one(text)).toEqual({ text, leftOut: new Map([['one', 0]]) });
});

test('a family of several parts is there once, with what all of them say', () => {
  const told = (part: string, count: number) => ({
    part,
    text: `# HELP x_total Of ${part}.\n# TYPE x_total counter\nx_total{of="${part}"} ${count}\n`,
  });
  const { text, leftOut } = merge([told('a', 1), told('b', 2)]);
  expect(text).toBe('# HELP x_total Of a.\n# TYPE x_total counter\nx_total{of="a"} 1\nx_total{of="b"} 2\n');
  expect([...leftOut.values()]).toEqual([0, 0]);
});

test('what libraries count about their process gets the part for a label', () => {
  const { text } = one('# TYPE go_info gauge\ngo_info{version="go1.19"} 1\nprocess_open_fds 8\n');
  expect(text).toContain('go_info{part="one",version="go1.19"} 1\n');
  expect(text).toContain('process_open_fds{part="one"} 8\n');
});

test.each([
  ['no metric', 'what is this'],
  ['a value that is none', 'a 1.2.3'],
  ['a label without quotes', 'a{b=c} 1'],
  ['a label that never ends', 'a{b="c} 1'],
  ['a name that is none', '1a 1'],
  ['half a line', 'a{b="c"'],
  ['a label that is there twice', 'a{b="c=",b="d"} 1'],
  ['a label that we give', 'process_x{part="other"} 1'],
  ['a number that is too large', 'a 1e999'],
  ['a line with a time', 'a 1 1395066363000'],
])('%s is left out and counted, and the rest stays', (_, line) => {
  const { text, leftOut } = one(`ok 1\n${line}\nalso 2\n`);
  expect(text).toBe('# TYPE ok untyped\nok 1\n# TYPE also untyped\nalso 2\n');
  expect(leftOut.get('one')).toBe(1);
});

test('a second word on the same series, or another type, is left out: Prometheus would refuse all of it', () => {
  const first = { part: 'first', text: '# TYPE a gauge\na 1\n' };
  expect(merge([first, { part: 'second', text: '# TYPE a gauge\na 2\n' }])).toEqual({
    text: '# TYPE a gauge\na 1\n',
    leftOut: new Map([
      ['first', 0],
      ['second', 1],
    ]),
  });
  const other = { part: 'second', text: '# TYPE a counter\na{b="c"} 2\n' };
  expect(merge([first, other]).text).toBe('# TYPE a gauge\na 1\n');
});

test('a text of thousands of odd lines is read in no time', () => {
  const odd = `a{${'b="c",'.repeat(5_000)}d="${'\\\\'.repeat(5_000)}\n`.repeat(20);
  expect(one(`${odd}ok 1\n`)).toMatchObject({ text: '# TYPE ok untyped\nok 1\n' });
});
