import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { type ClientHttp2Session, connect as connectHttp2 } from 'node:http2';
import { request } from 'node:https';
import { connect as connectPlain } from 'node:net';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { connect } from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Checkout, loginOf } from '../support/checkout.ts';
import { type Called, RegistryCalls } from '../support/registry-calls.ts';

const SOON = { timeout: 60_000, interval: 100 };
const REPOSITORY = 'team/app';
const BLOB_BYTES = 64 * 1024 * 1024;
const CLIENTS = 200;
/** Manifest, config and 20 layers, none of them with a login, and two before them to find out how to log in. */
const REQUESTS_OF_A_PULL = 24;
/** As docker does. */
const AT_ONCE = 3;
/** Seconds that nginx is patient for in this checkout. */
const PATIENCE = 2;

let checkout: Checkout;
let calls: RegistryCalls;
let login: string;
let blob: string;

beforeAll(async () => {
  checkout = await Checkout.make({ BEHIND_PROXY: 'true' }); // X-Forwarded-For says who is where
  await loseNginxPatience();
  login = loginOf(await checkout.init());
  calls = new RegistryCalls(checkout);
  blob = await calls.pushBlob(REPOSITORY, randomBytes(BLOB_BYTES / 2).toString('hex'), login);
});

afterAll(() => checkout.dispose());

describe('requests without a login', () => {
  test('as many as 200 clients behind one address have for an image of 20 layers: none is turned away', async () => {
    const sessions = Array.from({ length: CLIENTS }, openSession);
    const answers = (await Promise.all(sessions.map((session) => pullAnonymously(session)))).flat();
    for (const session of sessions) session.close();
    expect(count(answers)).toEqual(new Map([[401, CLIENTS * REQUESTS_OF_A_PULL]]));
  });

  test('a flood of them is turned away for a while; other addresses and logins are not', async () => {
    const address = '203.0.113.2';
    const session = openSession();
    const answers: number[] = [];
    while (!answers.includes(429)) answers.push(...(await askMany(session, address, 100)));
    session.close();
    const ask = (from: string, as?: string) =>
      calls.ask('GET', '/v2/', { as, headers: { 'x-forwarded-for': from } });
    const refused = await eventuallyRefused(() => ask(address));
    expect(refused.codes).toEqual(['TOOMANYREQUESTS']);
    expect(refused.headers['content-type']).toBe('application/json');
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
    expect((await ask(address, login)).status).toBe(200);
    expect((await ask('203.0.113.3')).status).toBe(401);
  });
});

describe('a client on which nothing moves', () => {
  test.each(['HTTP_PORT', 'HTTPS_PORT'])('before its request is whole: cut off, %s', async (name) => {
    const to = { host: '127.0.0.1', port: Number(checkout.env[name]) };
    const socket = name === 'HTTP_PORT' ? connectPlain(to) : connect({ ...to, rejectUnauthorized: false });
    socket.on('error', () => {}).resume();
    socket.write('GET / HTTP/1.1\r\nHost: loc');
    await once(socket, 'close');
  });

  test('in the middle of a push: cut off', async () => {
    const upload = await startUpload(1_000_000);
    const answer = answered(upload);
    upload.write('x');
    expect(await answer).not.toBe(202);
  });

  test('in the middle of a pull: cut off, and nothing of it was put on nginx’s disk', async () => {
    const path = `/v2/${REPOSITORY}/blobs/${blob}`;
    const pull = request({ ...target(), path, auth: login, headers: { 'user-agent': 'stalled' } }).end();
    const [answer] = await once(pull, 'response');
    answer.pause();
    pull.on('error', () => {});
    answer.on('error', () => {});
    expect(await files()).toBe('/tmp/nginx.pid');
    const line = async () =>
      (await nginxLog()).split('\n').find((each) => each.includes('"agent":"stalled"'));
    await expect.poll(line, SOON).toBeDefined();
    const { status, sent, path: logged } = JSON.parse((await line()) ?? '');
    expect({ status, logged }).toEqual({ status: 200, logged: path });
    expect(sent).toBeLessThan(BLOB_BYTES);
    pull.destroy();
    expect(await nginxLog()).not.toContain('temporary file');
  });

  test('a push that is slow but never stands still is taken to its end', async () => {
    const pieces = 8;
    const upload = await startUpload(pieces);
    const answer = answered(upload);
    const begun = Date.now();
    for (let sent = 0; sent < pieces; sent += 1) {
      upload.write('x');
      await wait((PATIENCE * 1_000) / 4); // the pace of a slow link
    }
    expect(Date.now() - begun).toBeGreaterThan(1.5 * PATIENCE * 1_000);
    upload.end();
    expect(await answer).toBe(202);
  });
});

/** Minutes become seconds in this copy's own template. */
async function loseNginxPatience(): Promise<void> {
  const file = join(checkout.root, 'nginx/templates/server.common.template');
  const text = await readFile(file, 'utf8');
  const changed = text.replace(
    /^(client_header_timeout|client_body_timeout|send_timeout) \d+s;/gm,
    `$1 ${PATIENCE}s;`,
  );
  expect(changed.match(new RegExp(` ${PATIENCE}s;`, 'g'))).toHaveLength(3);
  await writeFile(file, changed);
}

const target = () => ({ host: '127.0.0.1', port: checkout.env.HTTPS_PORT, rejectUnauthorized: false });

function openSession(): ClientHttp2Session {
  const session = connectHttp2(`https://localhost:${checkout.env.HTTPS_PORT}`, { rejectUnauthorized: false });
  return session.on('error', () => {}); // told by the requests on it
}

/** Asks so often at once, without a login. Answers the statuses. */
function askMany(session: ClientHttp2Session, from: string, times: number): Promise<number[]> {
  const ask = async () => {
    const stream = session.request({ ':path': '/v2/', 'x-forwarded-for': from });
    const [headers] = await once(stream, 'response');
    stream.resume();
    await once(stream, 'close');
    return Number(headers[':status']);
  };
  return Promise.all(Array.from({ length: times }, ask));
}

async function pullAnonymously(session: ClientHttp2Session): Promise<number[]> {
  const answers: number[] = [];
  while (answers.length < REQUESTS_OF_A_PULL)
    answers.push(...(await askMany(session, '203.0.113.1', AT_ONCE)));
  return answers;
}

function count(statuses: readonly number[]): ReadonlyMap<number, number> {
  const counted = new Map<number, number>();
  for (const status of statuses) counted.set(status, (counted.get(status) ?? 0) + 1);
  return counted;
}

/** After a flood some are let through again, a few hundred a second. */
async function eventuallyRefused(ask: () => Promise<Called>): Promise<Called> {
  for (;;) {
    const answers = await Promise.all(Array.from({ length: 200 }, ask));
    const refused = answers.find(({ status }) => status === 429);
    if (refused !== undefined) return refused;
  }
}

async function startUpload(length: number) {
  const { headers } = await calls.ask('POST', `/v2/${REPOSITORY}/blobs/uploads/`, { as: login });
  const { pathname, search } = new URL(String(headers.location), 'https://localhost');
  const type = { 'content-type': 'application/octet-stream', 'content-length': length };
  return request({ ...target(), method: 'PATCH', path: pathname + search, auth: login, headers: type });
}

/** The status, or that the connection ended without one. */
function answered(upload: ReturnType<typeof request>): Promise<number | 'cut off'> {
  return new Promise((resolve) => {
    upload.once('response', (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    upload.once('error', () => resolve('cut off'));
  });
}

async function files(): Promise<string> {
  return (await checkout.compose('exec', '-T', 'nginx', 'find', '/tmp', '-type', 'f')).stdout;
}

async function nginxLog(): Promise<string> {
  const { stdout, stderr } = await checkout.run('docker', ['logs', `${checkout.project}-nginx-1`]);
  return `${stdout}\n${stderr}`;
}
