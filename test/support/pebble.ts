import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import type { Checkout } from './checkout.ts';
import {
  type CaOptions,
  dnsArguments,
  pebbleConfig,
  pebbleVariables,
  reusesAuthorizations,
} from './pebble-config.ts';
import { answering, type Controls, controls, type Endpoint } from './pebble-controls.ts';
import { buildPebble, PEBBLE_IMAGE } from './pebble-image.ts';
import { makeTestCa, type TestCa } from './test-ca.ts';

/** Pebble and its DNS server: an ACME CA as strict as Let's Encrypt's, without the internet. */
export interface Pebble extends Controls {
  readonly directory: string;
  /** PEM file that Pebble's own TLS is trusted by. */
  readonly trust: string;
  readonly ca: TestCa;
  /** Whether it may use an authorization for another order. */
  readonly reuses: boolean;
  /** Where the tests themselves reach it, whatever name it has on a stack's network. */
  readonly endpoint: () => Endpoint;
  /** What Pebble said, over all restarts. */
  readonly log: () => Promise<string>;
  /**
   * Ends and starts Pebble: accounts, orders and issuing keys are gone, as it keeps all in memory. Its address,
   * its TLS certificate and the DNS stay.
   */
  readonly restart: () => Promise<void>;
  readonly dispose: () => Promise<void>;
}

export interface PebbleOptions extends CaOptions {
  /** Host name of the ACME server on the stack's network. */
  readonly name: string;
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

/** Pebble beside a stack, in containers on its network. */
export async function startPebble(checkout: Checkout, { name, ...options }: PebbleOptions): Promise<Pebble> {
  await buildPebble();
  const folder = join(checkout.root, 'var/test', name);
  const ca = await makeTestCa(folder);
  await ca.issue(folder, [name]);
  await writeFile(join(folder, 'pebble.json'), JSON.stringify(config(checkout, options)));
  const container = `${checkout.project}-${name}`;
  const dns = `${container}-dns`;
  const network = ['--network', `${checkout.project}_frontend`];
  const serveDns = ['pebble-challtestsrv', ...dnsArguments(':8053', ':8055')];
  const dnsAddress = await start(dns, [...network, PEBBLE_IMAGE, ...serveDns]);
  let host = await start(container, [
    ...network,
    '--network-alias',
    name,
    ...Object.entries(pebbleVariables(options)).flatMap(([key, value]) => ['--env', `${key}=${value}`]),
    '--volume',
    `${folder}:/pebble:ro`,
    PEBBLE_IMAGE,
    ...['pebble', '-config', '/pebble/pebble.json', '-dnsserver', `${dnsAddress}:8053`],
  ]);
  const endpoint = () => ({ host, port: 14000, servername: name });
  const log = async () => (await execa('docker', ['logs', container], { all: true })).all;
  const parts = () => ({
    acme: endpoint(),
    management: { ...endpoint(), port: 15000 },
    dns: `${dnsAddress}:8053`,
    dnsManagement: `${dnsAddress}:8055`,
  });
  const alive = async () => {
    if ((await addressOf(container)) === '') throw new Error(`Pebble ended:\n${await log()}`);
  };
  await answering(parts(), ca, alive);
  return {
    ...controls({ parts, ca, log }),
    directory: `https://${name}:14000/dir`,
    trust: ca.trust,
    ca,
    reuses: reusesAuthorizations(options),
    endpoint,
    log,
    restart: async () => {
      await execa('docker', ['restart', '--time', '1', container]);
      host = await addressOf(container);
      await answering(parts(), ca, alive);
    },
    dispose: async () => {
      await execa('docker', ['rm', '-f', container, dns]);
    },
  };
}

function config({ env }: Checkout, options: CaOptions) {
  return pebbleConfig(options, {
    acme: '0.0.0.0:14000',
    management: '0.0.0.0:15000',
    folder: '/pebble',
    // The CA comes to the port that nginx publishes, as a public one would come to port 80.
    httpPort: Number(env.HTTP_PORT),
    tlsPort: Number(env.HTTPS_PORT),
  });
}

/** Starts a container and returns its address. */
async function start(name: string, args: readonly string[]): Promise<string> {
  await execa('docker', ['run', '--detach', '--name', name, ...args]);
  return addressOf(name);
}

/** Empty when the container has ended. */
async function addressOf(container: string): Promise<string> {
  const format = '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}';
  return (await execa('docker', ['inspect', '-f', format, container])).stdout.trim();
}
