import { Resolver } from 'node:dns/promises';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { text } from 'node:stream/consumers';
import { eventually, systemClock } from '../../src/system/clock.ts';
import type { TestCa } from './test-ca.ts';

/** A TLS server as the tests reach it, and the name that its certificate is for. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
  readonly servername: string;
}

/** Where the parts of a test CA answer, seen from the tests. */
export interface Parts {
  readonly acme: Endpoint;
  readonly management: Endpoint;
  /** `address:port` of the DNS server and of what changes its answers. */
  readonly dns: string;
  readonly dnsManagement: string;
}

/** An answer to GET renewalInfo (RFC 9773 section 4.2). */
export interface RenewalWindow {
  readonly start: Date;
  readonly end: Date;
  readonly explanationUrl?: string;
}

/** What a test may change in a running CA and its DNS, and ask of them. */
export interface Controls {
  /** What a name resolves to, for the CA alone. */
  readonly setAddress: (name: string, address: string) => Promise<void>;
  /** The same for IPv6; `undefined` takes it away. Pebble goes to the IPv6 address alone when there is one. */
  readonly setAddress6: (name: string, address: string | undefined) => Promise<void>;
  readonly setServfail: (name: string) => Promise<void>;
  readonly clearServfail: (name: string) => Promise<void>;
  /** Only `issuer` may issue for the name, says its CAA. Pebble never looks: let a fault proxy refuse. */
  readonly forbidByCaa: (name: string, issuer: string) => Promise<void>;
  readonly clearCaa: (name: string) => Promise<void>;
  readonly setTxt: (name: string, value: string) => Promise<void>;
  readonly clearTxt: (name: string) => Promise<void>;
  /** TXT values that the DNS has for a name. */
  readonly txt: (name: string) => Promise<string[]>;
  /** Issuers that a name's CAA allows. */
  readonly caa: (name: string) => Promise<string[]>;
  /** `address:port` of the CA's DNS, for a resolver of the test's own. */
  readonly dns: string;
  /** What GET renewalInfo says of a certificate. A string is sent as it is, well formed or not; '' ends it. */
  readonly setRenewalWindow: (certificate: string, window: RenewalWindow | string) => Promise<void>;
  /** PEM of the root that its certificates lead to, until the next restart. */
  readonly root: () => Promise<string>;
  /** Requests to newOrder so far, those with a stale nonce included. */
  readonly orders: () => Promise<number>;
  /** Orders that the CA finalized so far. */
  readonly issued: () => Promise<number>;
}

interface Controlled {
  readonly parts: () => Parts;
  readonly ca: TestCa;
  readonly log: () => Promise<string>;
}

export function controls({ parts, ca, log }: Controlled): Controls {
  const tell = (what: string, body: unknown) => tellDns(parts().dnsManagement, what, body);
  const resolver = () => {
    const asking = new Resolver();
    asking.setServers([parts().dns]);
    return asking;
  };
  const count = async (line: string) => (await log()).split(line).length - 1;
  return {
    setAddress: async (host, address) => {
      await tell('clear-a', { host }); // add-a adds to what is there
      await tell('add-a', { host, addresses: [address] });
    },
    setAddress6: async (host, address) => {
      await tell('clear-aaaa', { host });
      if (address !== undefined) await tell('add-aaaa', { host, addresses: [address] });
    },
    setServfail: (host) => tell('set-servfail', { host }),
    clearServfail: (host) => tell('clear-servfail', { host }),
    forbidByCaa: (host, value) => tell('add-caa', { host, policies: [{ tag: 'issue', value }] }),
    clearCaa: (host) => tell('clear-caa', { host }),
    setTxt: (name, value) => tell('set-txt', { host: `${name}.`, value }),
    clearTxt: (name) => tell('clear-txt', { host: `${name}.` }),
    txt: async (name) => (await resolver().resolveTxt(name)).map((strings) => strings.join('')),
    caa: async (name) => (await resolver().resolveCaa(name)).map(({ issue = '' }) => issue),
    dns: parts().dns,
    setRenewalWindow: async (certificate, window) => {
      const body = JSON.stringify({ certificate, ariResponse: renewalInfo(window) });
      const answer = await ask(parts().management, ca, 'POST', '/set-renewal-info/', body);
      if (answer.statusCode !== 200) throw new Error(`Pebble answered ${await text(answer)}`);
      answer.resume();
    },
    root: async () => text(await ask(parts().management, ca, 'GET', '/roots/0')),
    orders: () => count('POST /order-plz -> '),
    issued: () => count('Issued certificate serial'),
  };
}

/** Resolves once CA and DNS answer; rejects when `alive` does, or after half a minute. */
export async function answering(parts: Parts, ca: TestCa, alive: () => Promise<void>): Promise<void> {
  const up = await eventually(systemClock, { within: 30_000, every: 10 }, async () => {
    await alive();
    try {
      (await ask(parts.acme, ca, 'GET', '/dir')).resume();
      (await ask(parts.management, ca, 'GET', '/roots/0')).resume();
      await tellDns(parts.dnsManagement, 'clear-servfail', { host: 'nobody.invalid' });
      return true;
    } catch {
      return undefined;
    }
  });
  if (up === undefined) throw new Error('Pebble does not answer');
}

async function ask(
  { host, port, servername }: Endpoint,
  { certificate }: TestCa,
  method: string,
  path: string,
  body = '',
): Promise<IncomingMessage> {
  const headers = { 'user-agent': 'moorage-test' };
  const options = { host, port, servername, ca: certificate, method, path, headers, agent: false } as const;
  const asked = request(options).end(body);
  const [answer]: IncomingMessage[] = await once(asked, 'response');
  if (answer === undefined) throw new Error('unreachable: the event carries the answer');
  return answer;
}

function renewalInfo(window: RenewalWindow | string): string {
  if (typeof window === 'string') return window;
  const { start, end, explanationUrl } = window;
  return JSON.stringify({ suggestedWindow: { start, end }, explanationURL: explanationUrl });
}

async function tellDns(management: string, what: string, body: unknown): Promise<void> {
  const answer = await fetch(`http://${management}/${what}`, { method: 'POST', body: JSON.stringify(body) });
  if (!answer.ok) throw new Error(`challtestsrv answered ${answer.status}`);
}
