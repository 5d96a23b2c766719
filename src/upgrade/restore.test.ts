import { expect, test } from 'vitest';
import { FakeEngine } from '../../test/support/fake-engine.ts';
import { PINNED } from '../settings/schema.ts';
import { ownLines, restoreNames } from './restore.ts';

const ran = (reference: string) => ({ images: { registry: { reference, id: 'sha256:1' } } });

test.each<[string, string, string | undefined, string | undefined]>([
  ['as it was where .env said so', 'registry:2.8.2', 'registry:2.8.2', 'registry:2.8.2'],
  ['the pin of this version needs no line', PINNED.registry, undefined, undefined],
  ['nor what was built here', 'moorage/registry:2.8', undefined, undefined],
  ['a line that came before the upgrade goes', 'moorage/registry:2.8', 'registry:9.9.9', undefined],
  ['an earlier pin needs a line now', 'registry:2.7.1', undefined, 'registry:2.7.1'],
  ['the line says what ran, not what was wished', 'registry:2.8.2', 'registry:9.9.9', 'registry:2.8.2'],
])('going back, %s', (_, reference, before, line) => {
  expect(ownLines(ran(reference), { REGISTRY_IMAGE: before }).REGISTRY_IMAGE).toBe(line);
});

test('names lead again to what ran; those with a digest need not', async () => {
  const engine = new FakeEngine();
  engine.present('sha256:1');
  await engine.images.tag('sha256:1', 'sha256:1');
  await engine.images.tag('sha256:2', 'registry:2');
  const digest = `nginx@sha256:${'a'.repeat(64)}`;
  await restoreNames(engine, {
    images: {
      registry: { reference: 'registry:2', id: 'sha256:1' },
      nginx: { reference: digest, id: 'sha256:3' },
    },
    others: [{ reference: 'moorage/base:trixie', id: 'sha256:gone' }],
  });
  expect((await engine.images.inspect('registry:2'))?.id).toBe('sha256:1');
  expect(await engine.images.inspect(digest)).toBeUndefined();
  expect(await engine.images.inspect('moorage/base:trixie')).toBeUndefined();
});
