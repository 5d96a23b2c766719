import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts } from './free-ports.ts';
import type { Pebble } from './pebble.ts';
import {
  type CaOptions,
  dnsArguments,
  pebbleConfig,
  pebbleVariables,
  reusesAuthorizations,
} from './pebble-config.ts';
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

  const dnsLog = join(folder, 'dns.log');
  const acmeLog = join(folder, 'pebble.log');
  const dnsArgs = dnsArguments(at(dns), at(dnsManagement));
  const served = await launch(join(programs, 'pebble-challtestsrv'), dnsArgs, {}, dnsLog);
  let pebble: Launched | undefined;
  const log = () => readFile(acmeLog, 'utf8');
  const endpoint = () => ({ host: '127.0.0.1', port: acme, servername: 'localhost' });
  const parts = () => ({
    acme: endpoint(),
    management: { ...endpoint(), port: management },
    dns: at(dns),
    dnsManagement: at(dnsManagement),
  });
  const begin = async () => {
    const args = ['-config', config, '-dnsserver', at(dns)];
    const begun = await launch(join(programs, 'pebble'), args, pebbleVariables(options), acmeLog);
    pebble = begun;
    await answering(parts(), ca, async () => {
      if (served.ended()) throw new Error(`Its DNS ended:\n${await readFile(dnsLog, 'utf8')}`);
      if (begun.ended()) throw new Error(`Pebble ended:\n${await log()}`);
    });
  };
  const dispose = async () => {
    await served.end();
    await pebble?.end();
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
    reuses: reusesAuthorizations(options),
    endpoint,
    log,
    restart: async () => {
      await pebble?.end();
      await begin();
    },
    dispose,
  };
}

interface Launched {
  readonly ended: () => boolean;
  readonly end: () => Promise<void>;
}

/**
 * Starts a program that goes with the test's process. It writes to its log by itself: what it has said before it
 * answers is there to read when the answer is.
 */
async function launch(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  log: string,
): Promise<Launched> {
  const file = await open(log, 'a');
  const child = spawn(program, args, {
    env: { ...process.env, ...env },
    stdio: ['ignore', file.fd, file.fd],
  });
  await once(child, 'spawn');
  await file.close();
  const kill = () => child.kill('SIGTERM');
  process.once('exit', kill);
  const ended = () => child.exitCode !== null || child.signalCode !== null;
  return {
    ended,
    end: async () => {
      process.off('exit', kill);
      kill();
      if (!ended()) await once(child, 'exit');
    },
  };
}
