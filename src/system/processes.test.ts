import { expect, test, vi } from 'vitest';
import { lastLines, run, saidBy } from './processes.ts';

test('a program that is fed goes on until there is no more', async () => {
  const heard: string[] = [];
  async function* pieces() {
    yield 'one\n';
    await vi.waitUntil(() => heard.length === 1);
    yield 'two\n';
  }
  const { exitCode } = await run('cat', [], { feed: pieces(), onLine: (line) => heard.push(line) });
  expect({ exitCode, heard }).toEqual({ exitCode: 0, heard: ['one', 'two'] });
});

test('one that ends before is not waited for', async () => {
  async function* endless() {
    yield 'one\n';
    await new Promise(() => undefined);
  }
  const program = ['-c', 'read line; exit 4'];
  expect(await run('sh', program, { feed: endless(), onLine: () => undefined })).toMatchObject({
    exitCode: 4,
  });
});

test.each([
  ['its errors, where there are some', { stderr: 'why\n', stdout: 'much' }, 'why'],
  ['else its output', { stderr: ' \n', stdout: 'much\n' }, 'much'],
  ['nothing', { stderr: '', stdout: '' }, ''],
])('what a program said is %s', (_, finished, said) => {
  expect(saidBy(finished)).toBe(said);
});

test('the end of what was said is its last line, or as many as are wanted', () => {
  expect(lastLines('one\ntwo\r\nthree\r\n\n')).toBe('three');
  expect(lastLines('one\ntwo\nthree\n', 2)).toBe('two\nthree');
  expect(lastLines('one', 5)).toBe('one');
  expect(lastLines('')).toBe('');
});
