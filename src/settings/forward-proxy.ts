import { isIP } from 'node:net';
import { Secret } from '../secret.ts';
import { nameProblem, unbracketed } from './names.ts';

/** A proxy by which this machine gets out. */
export interface ForwardProxy {
  /** As programs take it, with the login if there is one. */
  readonly url: Secret;
  /** Without the login. */
  readonly shown: string;
}

export interface ForwardProxies {
  /** For http:// URLs. */
  readonly http: ForwardProxy | undefined;
  /** For https:// URLs. */
  readonly https: ForwardProxy | undefined;
  /** What is reached directly: names, addresses, networks. */
  readonly except: readonly string[];
}

/** The proxy that a URL stands for, or the reason it is none; the reason never repeats the URL. */
export function parseForwardProxy(text: string): ForwardProxy | string {
  // Compose, dotenv and the shell would have their own ideas about the others; a % stays what it is in a URL.
  if (!/^[\x21-\x7e]+$/.test(text) || /["'$`\\#]/.test(text))
    return 'has a character in it that has to be written as %XX, as a blank, a quote, a $ or a # in a password';
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !['http:', 'https:'].includes(url.protocol))
    return 'is no URL like http://proxy.example:3128 or http://user:password@proxy.example:3128';
  if (nameProblem(unbracketed(url)) !== undefined) return 'has no host name or IP address';
  if (url.pathname !== '/' || url.search !== '') return 'must end with the host or its port';
  if (!decodes(url.username) || !decodes(url.password)) return 'has a % in user or password; write it as %25';
  const login = /^[a-z]+:\/\/(.*@)?/i.exec(text)?.[1] ?? '';
  const shown = `${url.protocol}//${url.host}`;
  return { url: new Secret(`${url.protocol}//${login}${url.host}`), shown };
}

/** What is not asked for by a proxy, each once, or the reason that something can't be. */
export function parseExceptions(text: string): readonly string[] | string {
  const all = text
    .split(',')
    .map((each) => each.trim())
    .filter(Boolean);
  const wrong = all.map((each) => [each, problem(each)] as const).find(([, why]) => why !== undefined);
  return wrong === undefined ? [...new Set(all)] : `has "${wrong[0]}", which ${wrong[1]}`;
}

/** Always reached directly. */
export const LOOPBACK = ['localhost', '127.0.0.1', '::1'];

/**
 * The variables by which programs such as apt, npm and wget find their proxies, for those that `environment` does not
 * say otherwise: it wins, for what this run itself starts. Secrets.
 */
export function proxyVariables(
  { http, https, except }: ForwardProxies,
  environment: Readonly<Record<string, string | undefined>>,
): Readonly<Record<string, string>> {
  if (http === undefined && https === undefined) return {};
  const values = {
    http_proxy: http && withPort(http),
    https_proxy: https && withPort(https),
    no_proxy: [...new Set([...except, ...LOOPBACK])].join(','),
  };
  const pairs = Object.entries(values).flatMap(([name, value]) => {
    const given = environment[name] ?? environment[name.toUpperCase()];
    if (given !== undefined || value === undefined) return [];
    return [[name, value] as const, [name.toUpperCase(), value] as const];
  });
  return Object.fromEntries(pairs);
}

/** libcurl, and dnf by it, would go to port 1080 where there is none, and a URL leaves its usual one out. */
function withPort(proxy: ForwardProxy): string {
  const url = proxy.url.reveal();
  const { protocol, port } = new URL(url);
  return port === '' ? `${url}:${protocol === 'https:' ? 443 : 80}` : url;
}

const LONGEST_PREFIX: Readonly<Record<number, number>> = { 4: 32, 6: 128 };

/** Go's grammar, which the engine has (golang.org/x/net/http/httpproxy), less the `*` that is everything. */
function problem(entry: string): string | undefined {
  if (entry === '*') return 'is everything; leave HTTP_PROXY and HTTPS_PROXY out instead';
  const [address = '', prefix, ...more] = entry.split('/');
  if (prefix !== undefined) {
    const most = LONGEST_PREFIX[isIP(address)] ?? -1;
    const isNetwork = more.length === 0 && /^\d{1,3}$/.test(prefix) && Number(prefix) <= most;
    return isNetwork ? undefined : 'is no network like 10.0.0.0/8';
  }
  const host = entry
    .replace(/^\*?\./, '')
    .replace(/^\[(.*)\](:\d{1,5})?$/, '$1')
    .replace(/^([^:]*):\d{1,5}$/, '$1');
  return nameProblem(host) === undefined ? undefined : 'is neither a name nor an address nor a network';
}

function decodes(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}
