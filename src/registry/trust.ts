import { readFile } from 'node:fs/promises';
import type { Certificate } from '../certificates/certificate.ts';
import { authorityFile } from '../issuers/local.ts';
import type { Paths } from '../paths.ts';
import type { Settings } from '../settings/settings.ts';
import type { Trust } from './client.ts';

/** How this machine's own client can tell that it speaks to the registry. */
export async function trustFor(paths: Paths, settings: Settings, certificate: Certificate): Promise<Trust> {
  if (settings.issuer === 'local') {
    return { kind: 'authority', pem: await readFile(authorityFile(paths.localAuthority), 'utf8') };
  }
  if (settings.directory.public) return { kind: 'system' };
  return { kind: 'certificate', fingerprint: certificate.fingerprint };
}
