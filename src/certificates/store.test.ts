import {
  chmod,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rm,
  stat,
  symlink,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { FakeClock } from '../../test/support/fake-clock.ts';
import type { Issued } from './issuer.ts';
import { ensurePlaceholder } from './placeholder.ts';
import { CertificateStore } from './store.ts';
import { keyToPem, makeAuthority, makeLeaf, newKeyPair, readAuthority } from './x509.ts';

const clock = new FakeClock('2027-01-01T00:00:00Z');

let folder: string;
let store: CertificateStore;

beforeEach(async () => {
  folder = join(await mkdtemp(join(tmpdir(), 'moorage-store-')), 'tls');
  store = new CertificateStore(folder, clock);
});

async function issued(): Promise<Issued> {
  const { privateKey, certificate } = await makeLeaf(['r.example'], clock.now(), 90);
  return { privateKey, chain: certificate, origin: { issuer: 'local' } };
}

test('an empty store has nothing; the placeholder is something to start with, and never takes the place of more', async () => {
  expect(await store.current()).toEqual({ kind: 'missing' });
  expect(await ensurePlaceholder(store, ['r.example'], clock)).toMatchObject({ changed: true });
  expect(await store.current()).toMatchObject({ kind: 'present', generation: { name: 'placeholder' } });
  await store.activate(await store.add(await issued()));
  expect(await ensurePlaceholder(store, ['r.example'], clock)).toMatchObject({ changed: false });
  expect(await store.current()).toMatchObject({
    generation: { name: 'generation-1', origin: { issuer: 'local' } },
  });
});

test('what is added is served only once it is activated', async () => {
  await store.activate(await store.add(await issued()));
  const second = await store.add(await issued());
  expect(await store.current()).toMatchObject({ generation: { name: 'generation-1' } });
  await store.activate(second);
  expect(await store.current()).toMatchObject({ generation: { name: 'generation-2' } });
});

test('whoever can do nothing without a certificate is told what makes one', async () => {
  await expect(store.expectCurrent()).rejects.toMatchObject({ code: 'no-certificate' });
  const added = await store.add(await issued());
  await store.activate(added);
  expect(await store.expectCurrent()).toMatchObject({ name: added.name });
});

test('the key is for its owner alone', async () => {
  await store.add(await issued());
  expect((await stat(join(folder, 'generation-1/privkey.pem'))).mode & 0o777).toBe(0o600);
});

test('killed while a generation was written: the half is never seen, and the next one takes its number', async () => {
  await mkdir(join(folder, '.partial-generation-1'), { recursive: true });
  await writeFile(join(folder, '.partial-generation-1/privkey.pem'), 'half');
  expect(await store.current()).toEqual({ kind: 'missing' });
  expect(await store.add(await issued())).toMatchObject({ name: 'generation-1' });
  await store.activate(await store.add(await issued()));
  await store.prune();
  expect((await readdir(folder)).filter((name) => name.startsWith('.'))).toEqual([]);
});

test('killed while the link was swapped: the temporary link is swept away', async () => {
  await store.activate(await store.add(await issued()));
  await symlink('generation-9', join(folder, '.current.abcdef'));
  await store.prune();
  expect((await readdir(folder)).sort()).toEqual(['current', 'generation-1']);
});

test.each([
  ['a link to nothing', () => rm(join(folder, 'generation-1'), { recursive: true })],
  ['a key that is gone', () => rm(join(folder, 'generation-1/privkey.pem'))],
  ['the key of another pair', () => writeAnotherKey('generation-1')],
  ['a key that is empty', () => truncate(join(folder, 'generation-1/privkey.pem'))],
  ['a certificate cut in half', () => truncate(join(folder, 'generation-1/fullchain.pem'), 100)],
  ['facts that are no JSON', () => writeFile(join(folder, 'generation-1/meta.json'), '{')],
])('%s is reported, not thrown', async (_, damage) => {
  await store.activate(await store.add(await issued()));
  await store.add(await issued());
  await damage();
  expect(await store.current()).toMatchObject({ kind: 'damaged' });
});

test.each([
  ['the current one is gone', () => rm(join(folder, 'generation-3'), { recursive: true })],
  ['its key is that of another', () => writeAnotherKey('generation-3')],
  ['the link is gone', () => rm(join(folder, 'current'))],
])('%s: back to the newest whole generation, not to a placeholder', async (_, damage) => {
  await store.add(await issued());
  await store.add(await issued());
  await store.activate(await store.add(await issued()));
  const before = await store.newestWhole();
  await damage();
  const after = await store.newestWhole();
  expect(await ensurePlaceholder(store, ['r.example'], clock)).toMatchObject({ changed: true });
  expect(await store.current()).toEqual({ kind: 'present', generation: after });
  expect(before?.name).toBe('generation-3');
  expect(await readdir(folder)).not.toContain('placeholder');
});

test('no generation is whole: then the placeholder, and the next certificate takes its place', async () => {
  await store.activate(await store.add(await issued()));
  await writeAnotherKey('generation-1');
  await ensurePlaceholder(store, ['r.example'], clock);
  expect(await store.current()).toMatchObject({ kind: 'present', generation: { name: 'placeholder' } });
  expect(await store.add(await issued())).toMatchObject({ name: 'generation-2' });
});

test('killed after the generation was stored and before it was served: what was served still is', async () => {
  await ensurePlaceholder(store, ['r.example'], clock);
  await store.add(await issued());
  expect(await ensurePlaceholder(store, ['r.example'], clock)).toMatchObject({ changed: false });
  expect(await store.current()).toMatchObject({ generation: { name: 'placeholder' } });
});

test('files that this user may not read are no damage: that would cost an order at the CA', async () => {
  await store.activate(await store.add(await issued()));
  await chmod(join(folder, 'generation-1/privkey.pem'), 0o000);
  await chmod(dirname(folder), 0o755);
  await asNobody(() => expect(store.current()).rejects.toMatchObject({ code: 'EACCES' }));
});

test('three generations stay, and the current one whatever its age', async () => {
  await store.activate(await store.add(await issued()));
  for (let count = 0; count < 5; count += 1) await store.add(await issued());
  await store.prune();
  expect((await readdir(folder)).sort()).toEqual([
    'current',
    'generation-1',
    'generation-4',
    'generation-5',
    'generation-6',
  ]);
  expect(await readlink(join(folder, 'current'))).toBe('generation-1');
});

async function writeAnotherKey(generation: string): Promise<void> {
  await writeFile(join(folder, generation, 'privkey.pem'), (await issued()).privateKey);
}

/** Root may read everything: look as somebody else. */
async function asNobody(look: () => Promise<void>): Promise<void> {
  const root = process.geteuid?.() === 0;
  if (root) process.seteuid?.(65534);
  try {
    await look();
  } finally {
    if (root) process.seteuid?.(0);
  }
}

test.each(['local', 'provided'] as const)(
  'the CA’s certificate lies beside what it has signed where clients have to be told: %s',
  async (issuer) => {
    const keys = await newKeyPair();
    const ca = await makeAuthority('a CA', keys, clock.now(), 100);
    const signed = await makeLeaf(
      ['r.example'],
      clock.now(),
      90,
      await readAuthority(ca, await keyToPem(keys.privateKey)),
    );
    const chain = `${signed.certificate}${ca}`;
    const generation = await store.add({ privateKey: signed.privateKey, chain, origin: { issuer } });
    const file = join(folder, 'generation-1/ca.crt');
    const published = () => readFile(file, 'utf8').catch(() => undefined);
    const expected = issuer === 'local' ? ca.trim() : undefined;
    expect((await published())?.trim()).toBe(expected);
    // One of an older version has it from the next look on.
    await rm(file, { force: true });
    await store.completeAuthority(generation);
    expect((await published())?.trim()).toBe(expected);
  },
);
