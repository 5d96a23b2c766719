import { once } from 'node:events';
import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { BlockList, isIP, type Socket } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { connect } from 'node:tls';
import type { ForwardProxies, ForwardProxy } from '../settings/forward-proxy.ts';
import type { Fetch } from './docker-repository.ts';

const HTTPS_PORT = 443;

/**
 * Like `fetch`, by the proxies of the settings: Node's own takes none before Node 24. It knows GET of https:// URLs and
 * follows no redirection; that is all that is asked for here.
 */
export function proxiedFetch(proxies: ForwardProxies, direct: Fetch): Fetch {
  return async (address, { signal }) => {
    const url = new URL(address);
    const proxy = proxies.https;
    if (proxy === undefined || url.protocol !== 'https:' || isExcepted(url.hostname, proxies.except))
      return direct(address, { signal });
    const socket = await tunnel(proxy, url, signal);
    try {
      const secured = connect({ socket, servername: isIP(url.hostname) === 0 ? url.hostname : '' });
      await once(secured, 'secureConnect', { signal });
      const asked = httpsRequest(url, {
        createConnection: () => secured,
        headers: { connection: 'close' },
        signal,
      });
      const [response]: IncomingMessage[] = await once(asked.end(), 'response', { signal });
      if (response === undefined) throw new Error('no answer');
      return new Response(await buffer(response), { status: response.statusCode ?? 500 });
    } finally {
      socket.destroy();
    }
  };
}

/** Go's rules for NO_PROXY (golang.org/x/net/http/httpproxy): a name stands for all below it. */
export function isExcepted(host: string, except: readonly string[]): boolean {
  const name = host.replace(/^\[(.*)\]$/, '$1').toLowerCase();
  const family = isIP(name);
  return except.some((each) => {
    const entry = each.toLowerCase();
    const [address = '', prefix] = entry.split('/');
    if (prefix !== undefined) return family !== 0 && inNetwork(name, address, Number(prefix));
    if (family !== 0 || isIP(entry) !== 0) return entry === name;
    const domain = entry.replace(/^\*?\./, '').replace(/:\d+$/, '');
    const itself = domain === name && !/^\*?\./.test(entry);
    return itself || name.endsWith(`.${domain}`);
  });
}

function inNetwork(name: string, address: string, prefix: number): boolean {
  const kind = (text: string) => (isIP(text) === 6 ? 'ipv6' : 'ipv4');
  const network = new BlockList();
  network.addSubnet(address, prefix, kind(address));
  return kind(name) === kind(address) && network.check(name, kind(name));
}

/** RFC 9110 section 9.3.6. */
async function tunnel(proxy: ForwardProxy, target: URL, signal: AbortSignal): Promise<Socket> {
  const { protocol, hostname, port, username, password } = new URL(proxy.url.reveal());
  const authority = `${target.hostname}:${target.port || HTTPS_PORT}`;
  const login = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  const options = {
    host: hostname.replace(/^\[(.*)\]$/, '$1'),
    port: port || (protocol === 'https:' ? HTTPS_PORT : 80),
    method: 'CONNECT',
    path: authority,
    headers: {
      host: authority,
      ...(username === '' ? {} : { 'proxy-authorization': `Basic ${Buffer.from(login).toString('base64')}` }),
    },
    agent: false as const,
    signal,
  };
  const asked = protocol === 'https:' ? httpsRequest(options) : httpRequest(options);
  const [response, socket] = await connected(asked);
  if (response.statusCode === 200) return socket;
  socket.destroy();
  throw new Error(`the proxy ${proxy.shown} answers ${response.statusCode} for ${authority}`);
}

function connected(asked: ClientRequest): Promise<[IncomingMessage, Socket]> {
  return new Promise((resolve, reject) => {
    asked.once('connect', (response, socket: Socket) => resolve([response, socket]));
    asked.once('error', reject);
    asked.end();
  });
}
