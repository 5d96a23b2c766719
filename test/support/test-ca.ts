import { chmod, mkdir, readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { join } from 'node:path';
import { execa } from 'execa';

/** A CA for the TLS of ACME servers and of proxies before them: one trust file does for all. Good for two days. */
export interface TestCa {
  /** PEM file. */
  readonly trust: string;
  readonly certificate: string;
  /** Writes `cert.pem` and `key.pem` for these DNS names and addresses into a folder. */
  readonly issue: (folder: string, names: readonly [string, ...string[]]) => Promise<ServerCertificate>;
}

interface ServerCertificate {
  readonly cert: string;
  readonly key: string;
}

const EC_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];

export async function makeTestCa(folder: string): Promise<TestCa> {
  await mkdir(folder, { recursive: true });
  const [trust, caKey] = [join(folder, 'ca.pem'), join(folder, 'ca-key.pem')];
  const selfSigned = ['req', '-x509', ...EC_KEY];
  await execa('openssl', [...selfSigned, '-keyout', caKey, '-out', trust, '-subj', '/CN=test CA']);
  return {
    trust,
    certificate: await readFile(trust, 'utf8'),
    issue: async (into, names) => {
      await mkdir(into, { recursive: true });
      const [cert, key] = [join(into, 'cert.pem'), join(into, 'key.pem')];
      const files = ['-CA', trust, '-CAkey', caKey, '-keyout', key, '-out', cert];
      const san = names.map((name) => `${isIP(name) === 0 ? 'DNS' : 'IP'}:${name}`).join(',');
      const subject = ['-subj', `/CN=${names[0]}`, '-addext', `subjectAltName=${san}`];
      await execa('openssl', [...selfSigned, ...files, ...subject]);
      await chmod(key, 0o644); // a container's user reads it too
      return { cert: await readFile(cert, 'utf8'), key: await readFile(key, 'utf8') };
    },
  };
}
