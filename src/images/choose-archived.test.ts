import { expect, test } from 'vitest';
import { listFor, savedImage } from '../../test/support/image-archive.ts';
import { PINNED } from '../settings/schema.ts';
import { BUILT } from './catalog.ts';
import { chooseArchived } from './choose-archived.ts';

const settings = { chosenImages: {}, builtImages: {}, imagesFile: '/srv/images.tar' };
const other = savedImage('registry', 'registry:3.0.0', 'a layer');
const list = listFor([other]);
const choose = (change: Partial<typeof settings>, archive: typeof list | undefined, ...here: string[]) =>
  chooseArchived({ ...settings, ...change }, ['registry'], archive, (name) => here.includes(name))[0];

test('the archive says which image it is, whatever is here', () => {
  expect(choose({}, list, PINNED.registry)).toEqual({
    role: 'registry',
    reference: 'registry:3.0.0',
    listed: other.listed,
  });
});

test('without an archive it is what was found before, else the pinned one, else a built one', () => {
  const before = { builtImages: { registry: 'registry:3.0.0' } };
  const all = ['registry:3.0.0', PINNED.registry, BUILT.registry];
  expect(choose(before, undefined, ...all)?.reference).toBe('registry:3.0.0');
  expect(choose({}, undefined, ...all)?.reference).toBe(PINNED.registry);
  expect(choose({}, undefined, BUILT.registry)?.reference).toBe(BUILT.registry);
});

test('what the settings name is never replaced by what the archive has', () => {
  const chosen = { chosenImages: { registry: 'registry:2.8.1' } };
  expect(choose(chosen, list, 'registry:2.8.1')).toMatchObject({
    reference: 'registry:2.8.1',
    listed: undefined,
  });
  expect(() => choose(chosen, list, PINNED.registry)).toThrow(
    /registry \(registry:2\.8\.1\).*has none either/,
  );
});

test('what is neither here nor in an archive is told at once', () => {
  const none = () => chooseArchived(settings, ['registry', 'nginx'], undefined, () => false);
  expect(none).toThrow('no image for registry, nginx, and there is no archive /srv/images.tar');
});
