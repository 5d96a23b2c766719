import { readFile } from 'node:fs/promises';
import type { Certificate } from '../certificates/certificate.ts';
import { unreachable } from '../errors.ts';
import { authorityFile } from '../issuers/local.ts';
import type { Paths } from '../paths.ts';
import type { Settings } from '../settings/settings.ts';
import type { Trust } from './client.ts';

/** How this machine's own client can tell that it speaks to the registry. */
export async function trustFor(paths: Paths, settings: Settings, certificate: Certificate): Promise<Trust> {
  const { issuer, directory } = settings;
  const exactly: Trust = { kind: 'certificate', fingerprint: certificate.fingerprint };
  switch (issuer) {
    case 'local':
      return { kind: 'authority', pem: await readFile(authorityFile(paths.localAuthority), 'utf8') };
    case 'none':
      return { kind: 'plain' };
    case 'provided':
      return exactly;
    case 'acme':
    case 'certbot':
      return directory.public && directory.staging !== true ? { kind: 'system' } : exactly;
    default:
      return unreachable(issuer);
  }
}
