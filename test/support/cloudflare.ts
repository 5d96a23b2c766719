import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { z } from 'zod';
import { listen } from './listening.ts';

export interface Zone {
  readonly id: string;
  readonly name: string;
  readonly status: 'active' | 'pending';
  readonly name_servers: readonly string[];
  /** Of the token: DNS:Edit for this zone. */
  readonly editable: boolean;
}

const asked = z.object({
  type: z.literal('TXT'),
  name: z.string(),
  content: z.string(),
  ttl: z.number(),
});

type Asked = z.infer<typeof asked>;
type ZoneRecord = Asked & { readonly id: string };

/** What speaks Cloudflare's API v4, as far as TXT records go: developers.cloudflare.com/api/resources/dns. */
export interface Cloudflare {
  readonly api: string;
  readonly records: (zone: string) => readonly string[];
  readonly add: (zone: string, name: string, value: string) => Promise<void>;
  readonly dispose: () => void;
}

interface CloudflareOptions {
  /** Address of this machine to listen on. */
  readonly host?: string;
  /** PEM: for clients on other machines, who send no token unencrypted. */
  readonly tls?: { readonly key: string; readonly cert: string };
  readonly token: string;
  readonly zones: readonly Zone[];
  /** Takes the values of a name into the world; the API answers before. */
  readonly publish: (name: string, values: readonly string[]) => Promise<void>;
}

/** Few, so that a handful of records are several pages. */
const MOST_PER_PAGE = 2;

class Refused extends Error {
  readonly status: number;
  readonly code: number;
  readonly chain: readonly { code: number; message: string }[];

  constructor(status: number, code: number, message: string, chain: Refused['chain'] = []) {
    super(message);
    this.status = status;
    this.code = code;
    this.chain = chain;
  }
}

export async function startCloudflare({
  token,
  zones,
  publish,
  host = '127.0.0.1',
  tls,
}: CloudflareOptions): Promise<Cloudflare> {
  const stored = new Map<string, ZoneRecord[]>(zones.map(({ name }) => [name, []]));
  const of = (zone: string): ZoneRecord[] => stored.get(zone) ?? [];
  const published = (zone: string, name: string) =>
    publish(
      name,
      of(zone).flatMap((record) => (record.name === name ? [record.content.replaceAll('"', '')] : [])),
    );

  const add = (zone: string, record: Asked): ZoneRecord => {
    if (of(zone).some(({ name, content }) => name === record.name && content === record.content))
      throw new Refused(400, 81058, 'An identical record already exists.');
    if (record.ttl !== 1 && (record.ttl < 60 || record.ttl > 86_400))
      throw new Refused(400, 9021, 'Invalid TTL. Must be between 60 and 86400 seconds, or 1 for Automatic.');
    const added = { ...record, id: randomBytes(16).toString('hex') };
    of(zone).push(added);
    return added;
  };

  const route = async (request: IncomingMessage): Promise<unknown> => {
    const url = new URL(request.url ?? '/', 'http://api');
    authorize(request, token);
    const [, , , place, id, records, recordId] = url.pathname.split('/');
    if (place === 'zones' && id === undefined && request.method === 'GET')
      return page(zones.filter(({ name }) => name === url.searchParams.get('name')).map(shown), url);
    const zone = zones.find((each) => each.id === id);
    if (zone === undefined || records !== 'dns_records')
      throw new Refused(
        404,
        7003,
        `Could not route to ${url.pathname}, perhaps your object identifier is invalid?`,
      );
    if (!zone.editable) throw new Refused(403, 10000, 'Authentication error');
    if (request.method === 'GET') {
      const { name, type } = Object.fromEntries(url.searchParams);
      return page(
        of(zone.name).filter((record) => record.name === name && record.type === type),
        url,
      );
    }
    if (request.method === 'POST') {
      const added = add(zone.name, asked.parse(JSON.parse(await body(request))));
      void published(zone.name, added.name);
      return { result: added };
    }
    const index = of(zone.name).findIndex((record) => record.id === recordId);
    const [removed] = index < 0 ? [] : of(zone.name).splice(index, 1);
    if (removed === undefined) throw new Refused(404, 81044, 'Record does not exist.');
    await published(zone.name, removed.name);
    return { result: { id: removed.id } };
  };

  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const { status, json } = await route(request).then(
      (result) => ({ status: 200, json: { success: true, errors: [], messages: [], ...Object(result) } }),
      (error: unknown) => refusal(error),
    );
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(json));
  };
  const server = tls === undefined ? createServer(answer) : createTlsServer(tls, answer);
  const port = await listen(server, host);
  return {
    api: `${tls === undefined ? 'http' : 'https'}://${host}:${port}/client/v4`,
    records: (zone) => of(zone).map(({ name, content, ttl }) => `${name} ${ttl} ${content}`),
    add: async (zone, name, value) => {
      add(zone, { type: 'TXT', name, content: `"${value}"`, ttl: 60 });
      await published(zone, name);
    },
    dispose: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

function authorize({ headers }: IncomingMessage, token: string): void {
  if (headers.authorization === `Bearer ${token}`) return;
  if (/^Bearer [\w-]{40,}$/.test(headers.authorization ?? ''))
    throw new Refused(403, 9109, 'Invalid access token');
  const chain = [{ code: 6111, message: 'Invalid format for Authorization header' }];
  throw new Refused(400, 6003, 'Invalid request headers', chain);
}

function shown({ editable, ...zone }: Zone): unknown {
  return { ...zone, type: 'full', paused: false };
}

function page(all: readonly unknown[], url: URL): unknown {
  const number = Number(url.searchParams.get('page') ?? 1);
  const size = Math.min(Number(url.searchParams.get('per_page') ?? 20), MOST_PER_PAGE);
  const result = all.slice((number - 1) * size, number * size);
  const counts = { count: result.length, total_count: all.length, total_pages: Math.ceil(all.length / size) };
  return { result, result_info: { page: number, per_page: size, ...counts } };
}

async function body(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request) text += chunk;
  return text;
}

function refusal(error: unknown): { status: number; json: unknown } {
  const { status, code, message, chain } =
    error instanceof Refused ? error : new Refused(500, 1, `the test's own fault: ${error}`);
  const told = { code, message, ...(chain.length === 0 ? {} : { error_chain: chain }) };
  return { status, json: { success: false, errors: [told], messages: [], result: null } };
}
