import { randomBytes } from 'node:crypto';
import { Resolver } from 'node:dns/promises';
import { execa } from 'execa';
import { eventually, systemClock } from '../../src/system/clock.ts';
import { buildPebble, PEBBLE_IMAGE } from './pebble-image.ts';

/** Pebble's DNS server, which answers whatever it was told. On port 53 too, as a zone's name server is. */
export interface ChallengeDns {
  readonly address: string;
  /** host:port, as CLOUDFLARE_DNS is. */
  readonly server: string;
  readonly setTxt: (name: string, values: readonly string[]) => Promise<void>;
  /** What the server answers now. */
  readonly txt: (name: string) => Promise<readonly string[]>;
  /** Resolves once somebody has asked for the name. */
  readonly askedFor: (name: string) => Promise<void>;
  readonly dispose: () => Promise<void>;
}

export async function startChallengeDns(): Promise<ChallengeDns> {
  await buildPebble();
  const name = `moorage-test-challenges-${randomBytes(4).toString('hex')}`;
  const none = ['-http01', '-https01', '-tlsalpn01', '-doh', '-defaultIPv6'].flatMap((flag) => [flag, '']);
  const command = ['pebble-challtestsrv', ...none, '-dnsserver', ':8053,:53'];
  await execa('docker', ['run', '--detach', '--name', name, PEBBLE_IMAGE, ...command]);
  const format = '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}';
  const address = (await execa('docker', ['inspect', '-f', format, name])).stdout.trim();
  const manage = async (what: string, body: unknown) => {
    const answer = await fetch(`http://${address}:8055/${what}`, {
      method: 'POST',
      body: JSON.stringify(body),
    });
    if (!answer.ok) throw new Error(`challtestsrv answered ${answer.status}`);
    return answer.text();
  };
  const asked = async (host: string) =>
    (await manage('dns-request-history', { host })).includes(host) ? true : undefined;
  await soon(
    () =>
      asked('up').then(
        () => true,
        () => undefined,
      ),
    'challtestsrv does not start',
  );
  return {
    address,
    server: `${address}:8053`,
    setTxt: async (host, values) => {
      await manage('clear-txt', { host: `${host}.` });
      for (const value of values) await manage('set-txt', { host: `${host}.`, value });
    },
    txt: async (host) => {
      const resolver = new Resolver();
      resolver.setServers([`${address}:8053`]);
      return resolver.resolveTxt(host).then(
        (records) => records.map((chunks) => chunks.join('')).sort(),
        (error) => [error.code],
      );
    },
    askedFor: (host) => soon(() => asked(host), `nobody asks for ${host}`),
    dispose: async () => {
      await execa('docker', ['rm', '-f', name]);
    },
  };
}

async function soon(condition: () => Promise<true | undefined>, complaint: string): Promise<void> {
  const answer = await eventually(systemClock, { within: 60_000, every: 50 }, condition);
  if (answer === undefined) throw new Error(complaint);
}
