import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { BASE_IMAGE } from '../../src/images/catalog.ts';
import { paths } from '../../src/paths.ts';
import type { Checkout } from './checkout.ts';

const IMAGE = 'moorage-test/pebble:2.10';

/** Debian's Pebble and its DNS server beside a stack: an ACME CA as strict as Let's Encrypt's, without the internet. */
export interface Pebble {
  readonly directory: string;
  /** PEM file that Pebble's own TLS is trusted by. */
  readonly trust: string;
  /** What a name resolves to, for the CA alone. */
  readonly setAddress: (name: string, address: string) => Promise<void>;
  /** Orders that the CA finalized so far. */
  readonly issued: () => Promise<number>;
  readonly log: () => Promise<string>;
  readonly dispose: () => Promise<void>;
}

export interface PebbleOptions {
  /** Host name of the ACME server on the stack's network. */
  readonly name: string;
  /** PEBBLE_* variables of the README: PEBBLE_VA_NOSLEEP, PEBBLE_WFE_NONCEREJECT, … */
  readonly env?: Readonly<Record<string, string>>;
}

/** Makes the stack's network before the stack, as Compose would, so that the CA can be there first. */
export async function makeNetwork(checkout: Checkout): Promise<{ gateway: string }> {
  const network = `${checkout.project}_frontend`;
  const labels = ['com.docker.compose.network=frontend', `com.docker.compose.project=${checkout.project}`];
  await execa('docker', ['network', 'create', ...labels.flatMap((label) => ['--label', label]), network]);
  const { stdout } = await execa('docker', [
    'network',
    'inspect',
    '-f',
    '{{(index .IPAM.Config 0).Gateway}}',
    network,
  ]);
  return { gateway: stdout.trim() };
}

export async function startPebble(checkout: Checkout, { name, env = {} }: PebbleOptions): Promise<Pebble> {
  await buildPebble();
  const folder = join(checkout.root, 'var/test', name);
  await mkdir(folder, { recursive: true });
  await makeServerCertificate(folder, name);
  await writeFile(join(folder, 'pebble.json'), JSON.stringify(config(checkout)));
  const container = `${checkout.project}-${name}`;
  const dns = `${container}-dns`;
  const network = ['--network', `${checkout.project}_frontend`];
  const address = await start(dns, [...network, IMAGE, 'pebble-challtestsrv', ...DNS_ONLY]);
  const variables = Object.entries({ PEBBLE_VA_NOSLEEP: '1', PEBBLE_WFE_NONCEREJECT: '0', ...env });
  await start(container, [
    ...network,
    '--network-alias',
    name,
    ...variables.flatMap(([key, value]) => ['--env', `${key}=${value}`]),
    '--volume',
    `${folder}:/pebble:ro`,
    IMAGE,
    ...['pebble', '-config', '/pebble/pebble.json', '-dnsserver', `${address}:8053`],
  ]);
  const log = async () => (await execa('docker', ['logs', container], { all: true })).all;
  return {
    directory: `https://${name}:14000/dir`,
    trust: join(folder, 'ca.pem'),
    setAddress: async (host, to) => {
      await manage(address, 'clear-a', { host }); // add-a adds to what is there
      await manage(address, 'add-a', { host, addresses: [to] });
    },
    issued: async () => (await log()).split('Issued certificate serial').length - 1,
    log,
    dispose: async () => {
      await execa('docker', ['rm', '-f', container, dns]);
    },
  };
}

const DNS_ONLY = ['-http01', '', '-https01', '', '-tlsalpn01', '', '-doh', '', '-defaultIPv6', ''];

function config({ env }: Checkout) {
  return {
    pebble: {
      listenAddress: '0.0.0.0:14000',
      managementListenAddress: '0.0.0.0:15000',
      certificate: '/pebble/cert.pem',
      privateKey: '/pebble/key.pem',
      // The CA comes to the port that nginx publishes, as a public one would come to port 80.
      httpPort: Number(env.HTTP_PORT),
      tlsPort: Number(env.HTTPS_PORT),
    },
  };
}

async function makeServerCertificate(folder: string, name: string): Promise<void> {
  const openssl = (...args: string[]) => execa('openssl', args, { cwd: folder });
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];
  await openssl('req', '-x509', ...key, '-keyout', 'ca-key.pem', '-out', 'ca.pem', '-subj', '/CN=test CA');
  const names = ['-subj', `/CN=${name}`, '-addext', `subjectAltName=DNS:${name}`];
  await openssl(
    'req',
    '-x509',
    ...key,
    '-CA',
    'ca.pem',
    '-CAkey',
    'ca-key.pem',
    '-keyout',
    'key.pem',
    '-out',
    'cert.pem',
    ...names,
  );
  await execa('chmod', ['644', 'key.pem'], { cwd: folder });
}

async function buildPebble(): Promise<void> {
  const context = join(paths().root, 'test/images/pebble');
  await execa('docker', [
    'build',
    '-q',
    '--network',
    'host',
    '--build-arg',
    `BASE=${BASE_IMAGE}`,
    '-t',
    IMAGE,
    context,
  ]);
}

/** Starts a container and returns its address. */
async function start(name: string, args: readonly string[]): Promise<string> {
  await execa('docker', ['run', '--detach', '--name', name, ...args]);
  const { stdout } = await execa('docker', [
    'inspect',
    '-f',
    '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}',
    name,
  ]);
  return stdout.trim();
}

async function manage(address: string, what: string, body: unknown): Promise<void> {
  const answer = await fetch(`http://${address}:8055/${what}`, {
    method: 'POST',
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`challtestsrv answered ${answer.status}`);
}
