#!/usr/bin/env node
/*
 * DNS hook for zones at Cloudflare (API v4). Node 20 or later, no packages.
 *
 *   cloudflare.mjs present|cleanup _acme-challenge.registry.example.com. VALUE
 *
 * CLOUDFLARE_API_TOKEN  a token with Zone:Read and DNS:Edit for the zone
 * CLOUDFLARE_API        another base URL of the API
 * CLOUDFLARE_DNS        host:port of the one DNS server to ask, instead of the zone's own name servers
 * CLOUDFLARE_WAIT       seconds to wait for the name servers, 240 unless set
 *
 * Exit code 0: every name server of the zone answers with the value (present), or the record is gone (cleanup).
 */
import { promises as dns } from 'node:dns';
import { isIP } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

const API = (process.env.CLOUDFLARE_API || 'https://api.cloudflare.com/client/v4').replace(/\/+$/, '');
const TOKEN = process.env.CLOUDFLARE_API_TOKEN || '';
const WAIT = Number(process.env.CLOUDFLARE_WAIT || 240) * 1000;
const LOOK_EVERY = 2000;
const REQUEST_LIMIT = 30_000;
const TTL = 60; // seconds, the least that every plan allows
/** "Record already exists" and "An identical record already exists". */
const EXISTS = [81057, 81058];
/** "Record does not exist." */
const GONE = 81044;

/** Something to tell the person, without a stack. */
class Complaint extends Error {}

class ApiError extends Complaint {
  constructor(request, status, errors) {
    const told = errors.flatMap((error) => [error, ...(error.error_chain ?? [])]);
    const list = told.map(({ code, message }) => `${message} (code ${code})`).join('; ');
    const hint =
      status === 401 || status === 403
        ? '\nThe token is wrong or expired, or lacks the permissions Zone:Read and DNS:Edit for this zone.'
        : '';
    super(`Cloudflare refuses ${request}: ${list || `HTTP status ${status}`}${hint}`);
    this.codes = errors.map(({ code }) => code);
  }
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  const text = error instanceof Complaint ? error.message : String(error?.stack ?? error);
  process.stderr.write(`${TOKEN === '' ? text : text.replaceAll(TOKEN, '[token]')}\n`);
  process.exitCode = 1;
}

async function main([action, fqdn, value, ...rest]) {
  if (!fqdn || !value || rest.length > 0 || (action !== 'present' && action !== 'cleanup')) {
    throw new Complaint('usage: cloudflare.mjs present|cleanup FQDN VALUE');
  }
  checkSettings();
  const name = fqdn.replace(/\.$/, '').toLowerCase();
  const zone = await findZone(name);
  if (action === 'cleanup') return removeRecord(zone, name, value);
  await addRecord(zone, name, value);
  await published(zone, name, value);
}

function checkSettings() {
  if (TOKEN === '') throw new Complaint('CLOUDFLARE_API_TOKEN is not set.');
  if (!/^[\x21-\x7e]+$/.test(TOKEN)) {
    throw new Complaint(
      'CLOUDFLARE_API_TOKEN has a space, a line break or a letter in it that no token has.',
    );
  }
  const url = URL.canParse(API) ? new URL(API) : undefined;
  const loopback = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(url?.hostname ?? '');
  if (url?.protocol !== 'https:' && !(url?.protocol === 'http:' && loopback)) {
    throw new Complaint('CLOUDFLARE_API is not an https:// URL, and the token must not travel unencrypted.');
  }
  if (!(WAIT > 0)) throw new Complaint('CLOUDFLARE_WAIT is not a number of seconds.');
}

/** The zone with the longest name that `name` ends with: a part of a domain may be a zone of its own. */
async function findZone(name) {
  const labels = name.split('.');
  let waiting;
  for (let skip = 0; skip < labels.length - 1; skip += 1) {
    const candidate = labels.slice(skip).join('.');
    const zones = await list('/zones', { name: candidate, per_page: '50' });
    const active = zones.find(({ status }) => status === 'active');
    if (active !== undefined) return active;
    waiting ??= zones[0];
  }
  if (waiting !== undefined) {
    throw new Complaint(
      `The zone ${waiting.name} is ${waiting.status} at Cloudflare, so the world does not see its records.`,
    );
  }
  throw new Complaint(
    `Cloudflare knows no zone for ${name}.\nEither it is another account's, or the token lacks Zone:Read for it.`,
  );
}

async function addRecord(zone, name, value) {
  const record = { type: 'TXT', name, content: `"${value}"`, ttl: TTL };
  try {
    await call('POST', `/zones/${zone.id}/dns_records`, { body: record });
  } catch (error) {
    // A run that was killed left it behind. `published` sees whether it is the very one.
    if (!(error instanceof ApiError && error.codes.some((code) => EXISTS.includes(code)))) throw error;
  }
}

async function removeRecord(zone, name, value) {
  const records = await list(`/zones/${zone.id}/dns_records`, { type: 'TXT', name, per_page: '100' });
  for (const { id, content } of records) {
    // Cloudflare's own filter for the content ignores case, and base64url does not.
    if (content.replace(/^"(.*)"$/, '$1') !== value) continue;
    try {
      await call('DELETE', `/zones/${zone.id}/dns_records/${id}`);
    } catch (error) {
      if (!(error instanceof ApiError && error.codes.includes(GONE))) throw error;
    }
  }
}

async function list(path, query) {
  const all = [];
  for (let page = 1, pages = 1; page <= pages; page += 1) {
    const { result, result_info } = await call('GET', path, { query: { ...query, page: String(page) } });
    all.push(...result);
    pages = result_info?.total_pages ?? 1;
  }
  return all;
}

async function call(method, path, { query, body } = {}) {
  const request = `${method} ${path}${query?.name === undefined ? '' : ` for ${query.name}`}`;
  const url = `${API}${path}${query === undefined ? '' : `?${new URLSearchParams(query)}`}`;
  const answer = await fetch(url, {
    method,
    redirect: 'error', // the token is for nobody else
    signal: AbortSignal.timeout(REQUEST_LIMIT),
    headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  }).catch((error) => {
    throw new Complaint(`${API} can't be reached for ${request}: ${error.cause?.message ?? error.message}`);
  });
  const json = await answer.json().catch(() => undefined);
  if (answer.ok && json?.success === true) return json;
  throw new ApiError(request, answer.status, Array.isArray(json?.errors) ? json.errors : []);
}

/** Waits until each name server of the zone answers with the value: the CA asks any of them, from anywhere. */
async function published(zone, name, value) {
  const deadline = Date.now() + WAIT;
  let lacking = await serversToAsk(zone);
  for (;;) {
    const answers = await Promise.all(lacking.map((server) => ask(server, name, value)));
    lacking = lacking.flatMap((server, index) =>
      answers[index] === undefined ? [] : [{ ...server, said: answers[index] }],
    );
    if (lacking.length === 0) return;
    if (Date.now() + LOOK_EVERY > deadline) break;
    await sleep(LOOK_EVERY);
  }
  const told = lacking.map(({ label, said }) => `${label}: ${said}`).join('\n');
  throw new Complaint(
    `Cloudflare took the record for ${name}, but after ${WAIT / 1000} seconds it is not published:\n${told}\n` +
      'Where a firewall keeps outgoing DNS to itself, set CLOUDFLARE_DNS to a resolver that can be asked.',
  );
}

async function serversToAsk(zone) {
  const chosen = process.env.CLOUDFLARE_DNS;
  if (chosen) {
    const url = URL.canParse(`dns://${chosen}`) ? new URL(`dns://${chosen}`) : undefined;
    if (!url?.hostname) throw new Complaint('CLOUDFLARE_DNS is not host:port.');
    const addresses = await addressesOf(url.hostname.replace(/^\[|\]$/g, ''));
    return [{ label: chosen, addresses: addresses.map((address) => withPort(address, url.port || '53')) }];
  }
  const servers = zone.name_servers ?? [];
  if (servers.length === 0)
    throw new Complaint(`Cloudflare names no name servers for the zone ${zone.name}.`);
  return Promise.all(
    servers.map(async (label) => ({
      label,
      addresses: (await addressesOf(label)).map((address) => withPort(address, '53')),
    })),
  );
}

async function addressesOf(host) {
  try {
    return (await dns.lookup(host, { all: true })).map(({ address }) => address);
  } catch (error) {
    throw new Complaint(`The address of the name server ${host} can't be found: ${error.message}`);
  }
}

function withPort(address, port) {
  return isIP(address) === 6 ? `[${address}]:${port}` : `${address}:${port}`;
}

/** `undefined` when the server answers with the value, else what it said. */
async function ask({ addresses }, name, value) {
  // A new one each time: a resolver may keep answers, and this one waits for another.
  const resolver = new dns.Resolver({ timeout: 3000, tries: 2 });
  resolver.setServers(addresses);
  try {
    const values = (await resolver.resolveTxt(name)).map((chunks) => chunks.join(''));
    return values.includes(value) ? undefined : 'it has other values only';
  } catch (error) {
    const none = error.code === 'ENODATA' || error.code === 'ENOTFOUND';
    return none ? 'it has no such record' : `no answer (${error.code})`;
  }
}
