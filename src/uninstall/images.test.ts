import { expect, test } from 'vitest';
import { CHECKOUT, container, held, image, volume } from '../../test/support/found.ts';
import { BASE_IMAGE, BUILT } from '../images/catalog.ts';
import { sortImages } from './images.ts';

const built = { 'moorage.source': 'abc' };
const ours = { ...built, 'moorage.checkout': CHECKOUT };
const subject = {
  checkout: CHECKOUT,
  projects: new Set(['moorage']),
  otherCheckouts: [],
  named: ['registry:2.8.3'],
  purge: false,
};
const otherStacks = container('nginx', '/srv/other', {
  labels: { ...built, 'com.docker.compose.project': 'other' },
});
const images = [
  image(BASE_IMAGE),
  image(BUILT.node, built),
  image('moorage/gate:1-abc', ours),
  image('registry:2.8.3'),
  image('postgres:17'),
  image('moorage/mine:1'),
];
const removed = (...args: Parameters<typeof sortImages>) =>
  sortImages(...args).remove.map(({ reference }) => reference);

test('the last stack takes all that was built with it, the programs first and the base last', () => {
  const sorted = sortImages(held({ images }), subject);
  expect(sorted.remove.map(({ reference }) => reference)).toEqual([
    'moorage/gate:1-abc',
    BUILT.node,
    BASE_IMAGE,
  ]);
  expect(sorted.pulled.map(({ reference }) => reference)).toEqual(['registry:2.8.3']);
});

test.each([
  ['a container of another stack', { containers: [otherStacks] }, {}],
  ['the sockets of a stack that is down', { volumes: [volume('registry-socket', 'other')] }, {}],
  ['a checkout that built programs', {}, { otherCheckouts: ['/srv/other'] }],
])('%s needs what all share', (_, there, more) => {
  const all = { ...subject, ...more };
  expect(removed(held({ images, ...there }), all)).toEqual(['moorage/gate:1-abc']);
});

test('an image that somebody’s container has stays', () => {
  const user = { labels: built, image: { id: BUILT.node, reference: BUILT.node } };
  const containers = [container('mine', CHECKOUT, user)];
  expect(removed(held({ images, containers }), subject)).toEqual(['moorage/gate:1-abc', BASE_IMAGE]);
});

test('what bears our name and was not built by us stays', () => {
  expect(removed(held({ images: [image(BUILT.nginx)] }), subject)).toEqual([]);
});

test('programs of another checkout stay', () => {
  const theirs = image('moorage/gate:1-def', { ...built, 'moorage.checkout': '/srv/other' });
  expect(removed(held({ images: [theirs] }), subject)).toEqual([]);
});

test('the way back of an upgrade goes with --purge alone, and that of another project never', () => {
  const all = held({
    images: [image('moorage/kept:moorage.1.gate'), image('moorage/kept:moorage-2.1.gate')],
  });
  expect(removed(all, subject)).toEqual([]);
  expect(sortImages(all, subject).wayBack).toHaveLength(1);
  expect(removed(all, { ...subject, purge: true })).toEqual(['moorage/kept:moorage.1.gate']);
});

test('programs that came in an archive go with the stack that has them, unless their checkout is here', () => {
  const theirs = { ...built, 'moorage.checkout': '/home/ada/moorage' };
  const loaded = [image('moorage/gate:1-def', theirs), image('moorage/gate:1-old', theirs)];
  const using = { ...subject, named: ['moorage/gate:1-def'] };
  expect(removed(held({ images: loaded }), using)).toEqual(['moorage/gate:1-def']);
  const beside = { ...using, otherCheckouts: ['/home/ada/moorage'] };
  expect(removed(held({ images: loaded }), beside)).toEqual([]);
});
