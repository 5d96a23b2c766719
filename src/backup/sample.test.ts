import { expect, test } from 'vitest';
import { revisionLink, tagLink } from '../inventory/layout.ts';
import type { Link } from './links.ts';
import { referrersOf, sampleOf } from './sample.ts';

const hex = (digit: string) => digit.repeat(64);
const link = (path: string, digit: string): Link => ({
  path,
  digest: `sha256:${hex(digit)}`,
  written: new Date(0),
});
const links = [
  link(tagLink('team/app', '1'), 'a'),
  link(tagLink('team/app', 'latest'), 'a'),
  link(tagLink('team/app', `sha256-${hex('a')}.sig`), 'b'),
  link(tagLink('team/other', `sha256-${hex('a')}.sig`), 'c'),
  link(revisionLink('team/app', hex('a')), 'a'),
  link(revisionLink('team/app', hex('b')), 'b'),
  link(revisionLink('team/app', hex('d')), 'd'),
  link(revisionLink('team/other', hex('c')), 'c'),
];
const random = () => 0.5;

test('each manifest once, and tags of images before all else', () => {
  const digests = sampleOf(links, 'all', random).map(({ digest }) => digest);
  expect(digests).toHaveLength(4);
  expect(new Set(digests).size).toBe(4);
  expect(digests[0]).toBe(`sha256:${hex('a')}`);
  expect(sampleOf(links, 1, random)).toMatchObject([
    { repository: 'team/app', digest: `sha256:${hex('a')}` },
  ]);
});

test('a signature comes with its image, and only that of the same repository', () => {
  const subject = { repository: 'team/app', digest: `sha256:${hex('a')}`, name: 'team/app:1' };
  expect(referrersOf(subject, links)).toMatchObject([{ digest: `sha256:${hex('b')}` }]);
});

test('every image comes up sooner or later', () => {
  const many = Array.from({ length: 10 }, (_, at) => link(tagLink('team/app', `${at}`), at.toString(16)));
  const drawn = Array.from({ length: 300 }, () => sampleOf(many, 1, Math.random)[0]?.digest);
  expect(new Set(drawn).size).toBe(10);
});
