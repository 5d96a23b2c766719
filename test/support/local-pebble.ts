import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { freePorts } from './free-ports.ts';
import type { Pebble } from './pebble.ts';
import { type CaOptions, dnsArguments, pebbleConfig, pebbleVariables } from './pebble-config.ts';
import { answering, controls } from './pebble-controls.ts';
import { pebblePrograms } from './pebble-image.ts';
import { makeTestCa } from './test-ca.ts';

export interface LocalPebbleOptions extends CaOptions {
  /** Port of 127.0.0.1 that the CA fetches http-01 tokens from, for every name that is not given an address. */
  readonly httpPort: number;
  readonly tlsPort?: number;
}

/** Pebble and its DNS as plain processes on the loopback, started in a moment: for tests of what needs no stack. */
export async function startLocalPebble(options: LocalPebbleOptions): Promise<Pebble> {
  const programs = await pebblePrograms();
  const folder = await mkdtemp(join(tmpdir(), 'moorage-pebble-'));
  const [acme = 0, management = 0, dns = 0, dnsManagement = 0] = await freePorts(4);
  const at = (port: number) => `127.0.0.1:${port}`;
  const ca = await makeTestCa(folder);
  await ca.issue(folder, ['localhost', '127.0.0.1']);
  const { httpPort, tlsPort = httpPort } = options;
  const listening = { acme: at(acme), management: at(management), folder, httpPort, tlsPort };
  const config = join(folder, 'pebble.json');
  await writeFile(config, JSON.stringify(pebbleConfig(options, listening)));

  const served = launch(join(programs, 'pebble-challtestsrv'), dnsArguments(at(dns), at(dnsManagement)), {});
  const said: Launched[] = [];
  const log = async () => said.map(({ output }) => output()).join('');
  const endpoint = () => ({ host: '127.0.0.1', port: acme, servername: 'localhost' });
  const parts = () => ({
    acme: endpoint(),
    management: { ...endpoint(), port: management },
    dns: at(dns),
    dnsManagement: at(dnsManagement),
  });
  const begin = async () => {
    const args = ['-config', config, '-dnsserver', at(dns)];
    const pebble = launch(join(programs, 'pebble'), args, pebbleVariables(options));
    said.push(pebble);
    await answering(parts(), ca, async () => {
      for (const { ended, output } of [served, pebble]) if (ended()) throw new Error(`Ended:\n${output()}`);
    });
  };
  const dispose = async () => {
    for (const { end } of [served, ...said]) await end();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await begin();
  } catch (error) {
    await dispose();
    throw error;
  }
  return {
    ...controls({ parts, ca, log }),
    directory: `https://localhost:${acme}/dir`,
    trust: ca.trust,
    ca,
    endpoint,
    log,
    restart: async () => {
      await said.at(-1)?.end();
      await begin();
    },
    dispose,
  };
}

interface Launched {
  readonly output: () => string;
  readonly ended: () => boolean;
  readonly end: () => Promise<void>;
}

/** Starts a program that goes with the test's process. */
function launch(program: string, args: readonly string[], env: Readonly<Record<string, string>>): Launched {
  const child = execa(program, args, { env, reject: false, all: true, buffer: false, stdin: 'ignore' });
  let output = '';
  child.all.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  return {
    output: () => output,
    ended: () => child.exitCode !== null || child.signalCode !== null,
    end: async () => {
      child.kill('SIGTERM');
      await child;
    },
  };
}
