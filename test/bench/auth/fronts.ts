import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** The costs of bcrypt that distribution's own htpasswd is measured with. */
export const COSTS = [5, 10, 12] as const;

/** Each way to the registry that is measured. */
export const FRONTS = [
  'no auth',
  'the gate, cost 12',
  'htpasswd, cost 5',
  'htpasswd, cost 10',
  'htpasswd, cost 12',
  'tried: the gate, a new connection each time',
  'tried: the gate, its answers cached for 1 s',
  'tried: a gate that only says yes',
  'tried: a gate that only says yes, over TCP',
] as const;

export type Front = (typeof FRONTS)[number];

/** Where nginx listens for it. */
export function portOf(front: Front): number {
  return 9001 + FRONTS.indexOf(front);
}

/** Where nginx finds what is not part of the product. */
export const SOCKETS = {
  htpasswd: (cost: number) => `/run/registry/htpasswd-${cost}.sock`,
  yes: '/run/gate/yes.sock',
};
/** In the network of nginx's own container. */
export const YES_PORT = 9100;

/**
 * nginx's configuration for all of them: the shipped templates, in which only what is measured is another. No TLS, for
 * all alike: it would hide a part of the difference.
 * @param checkout its root
 */
export async function frontsOf(checkout: string): Promise<string> {
  const template = (name: string) => readFile(join(checkout, 'nginx/templates', `${name}.template`), 'utf8');
  const common = await template('common.locations');
  const plain = await template('registry.locations');
  const proxy = await template('registry.proxy');
  const gate = swap(await template('gate.locations'), `\${HSTS_HEADER}`, ''); // no TLS
  // What was tried is a way to ask: so there the gate is asked about all, and the registry answers.
  const asked = swap(swap(gate, WITHOUT_QUESTION, ''), 'location ~ ^/v2/.*/blobs/ {', 'location /v2/ {');

  const server = (front: Front, locations: string) => {
    const body = swap(common, `include /etc/nginx/conf.d/\${AUTH}.locations;`, locations);
    return `server {\nlisten ${portOf(front)};\nserver_name bench;\n${body}}\n`;
  };
  const asking = (upstream: string) =>
    swap(asked, 'proxy_pass http://gate/ask;', `proxy_pass ${upstream}/ask;`);
  const htpasswd = (cost: (typeof COSTS)[number]) => {
    const there = swap(proxy, 'proxy_pass http://registry;', `proxy_pass http://htpasswd-${cost};`);
    return server(`htpasswd, cost ${cost}`, swap(plain, INCLUDED_PROXY, there));
  };

  return [
    ...COSTS.map((cost) => upstream(`htpasswd-${cost}`, `unix:${SOCKETS.htpasswd(cost)}`, KEPT)),
    upstream('gate-once', 'unix:/run/gate/gate.sock', ''),
    upstream('yes', `unix:${SOCKETS.yes}`, KEPT),
    upstream('yes-tcp', `127.0.0.1:${YES_PORT}`, KEPT),
    'proxy_cache_path /dev/shm/asked keys_zone=asked:1m;\n',
    server('no auth', plain),
    server('the gate, cost 12', gate),
    ...COSTS.map(htpasswd),
    server('tried: the gate, a new connection each time', asking('http://gate-once')),
    server('tried: the gate, its answers cached for 1 s', swap(asked, 'internal;', CACHED)),
    server('tried: a gate that only says yes', asking('http://yes')),
    server('tried: a gate that only says yes, over TCP', asking('http://yes-tcp')),
  ].join('\n');
}

const INCLUDED_PROXY = 'include /etc/nginx/conf.d/registry.proxy;';
const WITHOUT_QUESTION = `location /v2/ {
    include /etc/nginx/conf.d/gate.proxy;
}`;
const KEPT = 'keepalive 32; keepalive_requests 100000;';
/** The key holds the password, and stands in the cache's file as it is: one reason why this is not shipped. */
const CACHED = `internal;
    proxy_buffering on;
    proxy_cache asked;
    proxy_cache_key "$request_method $request_uri $remote_addr $http_authorization";
    proxy_cache_valid 204 1s;`;

function upstream(name: string, server: string, keep: string): string {
  return `upstream ${name} { server ${server}; ${keep} }\n`;
}

/** @throws when it is not there: else something else than it says would be measured */
function swap(text: string, what: string, by: string): string {
  if (!text.includes(what)) throw new Error(`the templates of nginx have changed: there is no "${what}"`);
  return text.replace(what, () => by);
}
