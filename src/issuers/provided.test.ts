import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { FakeClock } from '../../test/support/fake-clock.ts';
import { readCertificate } from '../certificates/certificate.ts';
import { makeLeaf } from '../certificates/x509.ts';
import { ProvidedIssuer } from './provided.ts';

const clock = new FakeClock('2027-01-01T00:00:00Z');

test('a key that is put in order later is another offer: what failed before does not keep it waiting', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'moorage-provided-'));
  const files = { certificate: join(folder, 'tls.crt'), key: join(folder, 'tls.key') };
  const fit = await makeLeaf(['a.example'], clock.now(), 90);
  const other = await makeLeaf(['a.example'], clock.now(), 90);
  await writeFile(files.certificate, fit.certificate);
  await writeFile(files.key, other.privateKey);
  const issuer = new ProvidedIssuer(files, clock);
  const unfit = await issuer.offered();
  await writeFile(files.key, fit.privateKey);
  const offered = await issuer.offered();
  expect(offered).toBe(readCertificate(fit.certificate).fingerprint);
  expect(offered).not.toBe(unfit);
});
