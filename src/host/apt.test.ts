import { expect, test } from 'vitest';
import type { Run } from '../system/processes.ts';
import { debianArchives } from './apt.ts';

/** apt-get indextargets, once with the labels of what was fetched and once with addresses alone. */
function targets(fetched: string[], all: string[]): Run {
  return async (_program, args) => {
    const lines = args.some((each) => each.includes('LABEL')) ? fetched : all;
    return { exitCode: 0, stdout: lines.join('\n'), stderr: '' };
  };
}

test('Debian’s mirrors are known by the label of their Release file, not by an address that ends alike', async () => {
  const fetched = [
    'https://download.docker.com/linux/debian/ Docker CE',
    'http://mirror.example/debian/ Debian',
    'http://mirror.example/debian-security/ Debian-Security',
  ];
  expect(await debianArchives(targets(fetched, []))).toEqual({
    main: 'http://mirror.example/debian',
    security: 'http://mirror.example/debian-security',
  });
});

test('before apt has fetched anything, addresses have to do', async () => {
  const all = ['https://download.docker.com/linux/debian/', 'http://mirror.example/debian/'];
  expect(await debianArchives(targets([], all))).toEqual({
    main: 'http://mirror.example/debian',
    security: undefined,
  });
});

test('where there is no Debian mirror, Debian’s own name is taken', async () => {
  const ubuntu = ['http://archive.ubuntu.com/ubuntu/ Ubuntu'];
  expect((await debianArchives(targets(ubuntu, []))).main).toBe('http://deb.debian.org/debian');
});
