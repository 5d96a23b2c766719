/** What an answer's headers say about who gave it. */
export type Headers = Readonly<Record<string, string | undefined>>;

/** Headers by which well-known services say that they are on the way. */
const MARKS: readonly (readonly [header: string, name: string])[] = [
  ['cf-ray', 'Cloudflare'],
  ['x-amz-cf-id', 'Amazon CloudFront'],
  ['x-azure-ref', 'Azure Front Door'],
  ['x-fastly-request-id', 'Fastly'],
  ['x-envoy-upstream-service-time', 'Envoy'],
  ['x-kong-proxy-latency', 'Kong'],
];

/** What may keep a hop from handing on what a registry needs. */
export type Trouble = 'limit' | 'time' | 'buffer' | 'headers';

const CURES: readonly { readonly name: RegExp; readonly cures: Readonly<Record<Trouble, string>> }[] = [
  {
    name: /cloudflare/i,
    cures: {
      limit:
        'Cloudflare takes at most 100 MB a request (500 MB for enterprises): switch its proxy off for this name (DNS only).',
      time: 'Cloudflare waits 100 s for an answer: switch its proxy off for this name (DNS only).',
      buffer: 'Switch Cloudflare’s proxy off for this name (DNS only).',
      headers: 'Switch Cloudflare’s proxy off for this name (DNS only).',
    },
  },
  {
    name: /nginx|openresty/i,
    cures: {
      limit: 'There, in its server block: client_max_body_size 0;',
      time: 'There: client_body_timeout 900s; proxy_read_timeout 900s; proxy_send_timeout 900s; send_timeout 900s;',
      buffer: 'There: proxy_request_buffering off; proxy_http_version 1.1;',
      headers:
        'There: proxy_set_header Host $http_host; proxy_set_header X-Forwarded-Proto $scheme; proxy_redirect off; and BEHIND_PROXY in .env',
    },
  },
  {
    name: /apache/i,
    cures: {
      limit: 'There: LimitRequestBody 0',
      time: 'There: RequestReadTimeout body=0, and ProxyTimeout 900',
      buffer: 'There: SetEnv proxy-sendchunked 1',
      headers:
        'There: ProxyPreserveHost On, RequestHeader set X-Forwarded-Proto https, and BEHIND_PROXY in .env',
    },
  },
  {
    name: /caddy/i,
    cures: {
      limit: 'There: take request_body max_size out.',
      time: 'There: raise read_timeout and write_timeout of the server and of reverse_proxy’s transport.',
      buffer: 'There: take request_buffers out of reverse_proxy.',
      headers: 'There: let reverse_proxy pass Host and X-Forwarded-Proto on as they come.',
    },
  },
  {
    name: /traefik/i,
    cures: {
      limit: 'There: take the middleware `buffering` out (maxRequestBodyBytes).',
      time: 'There: entryPoints.NAME.transport.respondingTimeouts.readTimeout=0',
      buffer: 'There: take the middleware `buffering` out.',
      headers: 'There: passHostHeader=true',
    },
  },
];

const ANY: Readonly<Record<Trouble, string>> = {
  limit: 'Let it take bodies of any size.',
  time: 'Let it wait 15 minutes for each next byte, in both directions.',
  buffer: 'Let it hand bodies on as they come.',
  headers: 'Let it pass Host, Authorization, X-Forwarded-Proto and Location on as they are.',
};

/** How somebody calls himself in an answer: `nginx/1.26.3`, `cloudflare (Cloudflare)`; `undefined`: not at all. */
export function calledIn(headers: Headers): string | undefined {
  const marks = MARKS.filter(([header]) => headers[header] !== undefined).map(([, name]) => name);
  const via = headers.via === undefined ? [] : [`Via ${headers.via}`];
  const more = [...marks, ...via].join(', ');
  if (headers.server === undefined) return more === '' ? undefined : more;
  return more === '' ? headers.server : `${headers.server} (${more})`;
}

/**
 * Who stands between clients and Moorage's own nginx, by what differs between an answer that came through the public
 * address and one of our nginx itself; `undefined`: nothing differs.
 */
export function hopIn(through: Headers, own: Headers): string | undefined {
  const called = calledIn(through);
  return called === calledIn(own) ? undefined : (called ?? 'one that does not name itself');
}

/** What to change at a hop that calls itself so. */
export function cureFor(name: string | undefined, trouble: Trouble): string {
  const known = CURES.find((each) => name !== undefined && each.name.test(name));
  return (known?.cures ?? ANY)[trouble];
}
