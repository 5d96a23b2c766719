import { isIP } from 'node:net';
import { Secret } from '../secret.ts';
import { decoded, isPrivateName, nameProblem, unbracketed } from './names.ts';

/** Where alerts go by HTTP. The URL is a secret as a whole: services put their tokens into the path. */
export type WebhookTarget = {
  /** For ntfy the root of the server, which takes JSON. Never carries a password. */
  readonly url: Secret;
  /** With its port where that is not the usual one. The only part of the URL that may be shown. */
  readonly host: string;
  /** The value of the header `Authorization`. */
  readonly authorization: Secret | undefined;
} & ({ readonly kind: 'json' | 'slack' } | { readonly kind: 'ntfy'; readonly topic: Secret });

/** A server that takes mail. */
export interface MailServer {
  readonly host: string;
  readonly port: number;
  /** TLS from the first byte (RFC 8314 section 3), not by STARTTLS. */
  readonly implicitTls: boolean;
  readonly credentials: { readonly user: string; readonly password: Secret } | undefined;
}

const NTFY = 'ntfy+';
/** https://docs.ntfy.sh/publish: what a topic may be called. */
const NTFY_TOPIC = /^\/([-_A-Za-z0-9]{1,64})\/?$/;

/**
 * The target that a URL stands for, or the reason it is none; the reason never repeats the URL. `ntfy+https://host/topic`
 * is an ntfy server of one's own. `user:password@` is sent as Basic authorization, `:token@` as a bearer token.
 */
export function parseAlertUrl(text: string): WebhookTarget | string {
  const named = text.startsWith(NTFY);
  const url = parse(named ? text.slice(NTFY.length) : text, ['https:', 'http:']);
  if (url === undefined) return 'is no URL that begins with https://, http://, ntfy+https:// or ntfy+http://';
  if (url.protocol === 'http:' && !isPrivateName(unbracketed(url))) {
    return 'must begin with https://; http is for private addresses and names alone';
  }
  const authorization = authorizationOf(url);
  if (typeof authorization === 'string') return authorization;
  url.username = '';
  url.password = '';
  url.hash = '';
  const { host } = url;
  if (named || host === 'ntfy.sh') {
    const topic = NTFY_TOPIC.exec(url.pathname)?.[1];
    if (topic === undefined) return 'must end with one ntfy topic, as in https://ntfy.sh/topic';
    url.pathname = '/';
    return { kind: 'ntfy', url: new Secret(url.href), host, authorization, topic: new Secret(topic) };
  }
  return { kind: takesText(url) ? 'slack' : 'json', url: new Secret(url.href), host, authorization };
}

/** The server that an SMTP URL stands for, or the reason it is none; the reason never repeats the URL. */
export function parseSmtpUrl(text: string): MailServer | string {
  const url = parse(text, ['smtps:', 'smtp:']);
  if (url === undefined || url.hostname === '') {
    return 'is no URL like smtps://user:password@host:465 or smtp://host:587; in user and password write @ : / ? # % as %40 %3A %2F %3F %23 %25';
  }
  const host = unbracketed(url).toLowerCase();
  if (nameProblem(host) !== undefined) return 'has no host name or IP address';
  if (!['', '/'].includes(url.pathname) || url.search !== '' || url.hash !== '') {
    return 'must end with the host or its port';
  }
  const user = decoded(url.username);
  const password = decoded(url.password);
  if (user === undefined || password === undefined) return 'has a % in user or password; write it as %25';
  if ((user === '') !== (password === '')) return 'must have both user and password, or neither';
  const implicitTls = url.protocol === 'smtps:';
  return {
    host,
    port: url.port === '' ? (implicitTls ? 465 : 587) : Number(url.port), // RFC 8314 section 3.3, RFC 6409 section 3.1
    implicitTls,
    credentials: user === '' ? undefined : { user, password: new Secret(password) },
  };
}

/** Addresses separated by commas, each once, or the reason that one is none. */
export function parseAddresses(text: string): readonly string[] | string {
  const addresses = text.split(',').map((each) => each.trim());
  const wrong = addresses.find((each) => !isAddress(each));
  return wrong === undefined ? [...new Set(addresses)] : `has "${wrong}", which is not an e-mail address`;
}

/** An atom-only local part (RFC 5322 section 3.2.3): nothing that could end a header or an SMTP command. */
const LOCAL_PART = /^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}$/;

function isAddress(text: string): boolean {
  const [local = '', domain = '', ...more] = text.split('@');
  return (
    more.length === 0 && LOCAL_PART.test(local) && isIP(domain) === 0 && nameProblem(domain) === undefined
  );
}

/** Slack, and Discord's endpoint for Slack's messages, want `{"text": …}` and nothing else. */
function takesText({ host, pathname }: URL): boolean {
  return host === 'hooks.slack.com' || (host === 'discord.com' && pathname.endsWith('/slack'));
}

function authorizationOf(url: URL): Secret | undefined | string {
  const user = decoded(url.username);
  const password = decoded(url.password);
  if (user === undefined || password === undefined) return 'has a % in user or password; write it as %25';
  if (user === '' && password === '') return undefined;
  if (user !== '') return new Secret(`Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`);
  if (!/^[\x21-\x7e]+$/.test(password)) return 'has a token with characters that no token has';
  return new Secret(`Bearer ${password}`);
}

function parse(text: string, protocols: readonly string[]): URL | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  return url !== undefined && protocols.includes(url.protocol) ? url : undefined;
}
