import { request as requestPlainly } from 'node:http';
import { request } from 'node:https';
import { isIP } from 'node:net';
import { text } from 'node:stream/consumers';
import { expectSoundConfig, type WebServer } from '../certificates/deploy.ts';
import { Failure } from '../errors.ts';
import { bracketed } from '../settings/names.ts';
import { registryAuthority, registryUrl, type Settings } from '../settings/settings.ts';
import { type Done, unchanged } from '../step.ts';
import { type Clock, eventually } from '../system/clock.ts';
import { httpAddress, nginxAddress, shownBy } from './nginx.ts';

const UP_WITHIN = 60_000;
const ANSWER_WITHIN = 5_000;
/** The gate lets a question wait for its turn. */
const ASKED_WITHIN = 30_000;

/**
 * Waits until nginx answers: TLS with whatever certificate it has, or plain HTTP where that is wanted.
 * @throws Failure `nginx-silent`, with the last lines of its log; `config-broken`
 */
export async function awaitNginx(
  settings: Settings,
  webServer: WebServer,
  clock: Clock,
  log: (part: 'nginx') => Promise<string>,
): Promise<Done> {
  const answers = () =>
    settings.issuer === 'none' ? answersPlainly(settings) : shownBy(settings, settings.domain);
  const answered = await eventually(clock, { within: UP_WITHIN, every: 100 }, answers);
  if (answered !== undefined) {
    // It may go on with what it has loaded, and fail at its next start.
    await expectSoundConfig(webServer, 'now');
    return unchanged('answers');
  }
  throw new Failure(
    'nginx-silent',
    `nginx does not answer on its port within 60 s. Its log ends with:\n${await log('nginx')}`,
    'Fix what it reports (your own settings are in nginx/user.d), then run this again.',
  );
}

/**
 * Waits until the registry answers through nginx, and the gate where there is one: to nobody in particular, so with
 * a refusal as a rule.
 * @throws Failure `registry-down`, with the last lines of the logs
 */
export async function awaitRegistry(
  settings: Settings,
  clock: Clock,
  log: (part: 'registry' | 'gate') => Promise<string>,
): Promise<Done> {
  let last = '';
  const answered = await eventually(clock, { within: UP_WITHIN, every: 100 }, async () => {
    last = (await registrySilence(settings)) ?? '';
    return last === '' ? true : undefined;
  });
  const parts = settings.auth.by === 'gate' ? (['registry', 'gate'] as const) : (['registry'] as const);
  if (answered) return unchanged(parts.length > 1 ? 'answers through the gate' : 'answers');
  const logs = await Promise.all(parts.map(async (part) => `${part}: ${await log(part)}`));
  throw new Failure(
    'registry-down',
    `The registry does not answer GET /v2/ within 60 s: ${last}. The logs end with:\n${logs.join('\n')}`,
    'Fix what they report, then run this again.',
  );
}

/**
 * What stands in the way of an answer of the registry, and of the gate where there is one; `undefined` for an answer.
 * @param within milliseconds
 */
export async function registrySilence(
  settings: Settings,
  within = ASKED_WITHIN,
): Promise<string | undefined> {
  return silenceOf(await askNginx(settings, 'GET', within));
}

/** What comes of `/v2/`, asked without a password. Status 0 is no answer, and why. */
export async function askNginx(settings: Settings, method: Method, within = ASKED_WITHIN): Promise<Answered> {
  const plain = settings.issuer === 'none';
  // nginx answers to nobody who asks for another name.
  const name = { servername: sniOf(settings.domain), headers: { host: registryAuthority(settings) } };
  const at = { ...(plain ? httpAddress(settings) : nginxAddress(settings)), ...name };
  return ask(at, plain, { method, within });
}

/** The same of wherever the name leads from this machine. */
export async function askByName(
  settings: Settings,
  method: Method,
  within = ASKED_WITHIN,
): Promise<Answered> {
  const { domain, httpPort, httpsPort } = settings;
  const plain = registryUrl(settings).startsWith('http:');
  const headers = { host: registryAuthority(settings) };
  const at = { host: domain, port: plain ? httpPort : httpsPort, servername: sniOf(domain), headers };
  return ask(at, plain, { method, within });
}

type Method = 'GET' | 'POST' | 'PUT';

interface Answered {
  readonly status: number;
  readonly body: string;
}

/** RFC 6066 section 3: no address. */
export function sniOf(name: string): string {
  return isIP(name) === 0 ? name : '';
}

export interface AskedAt {
  readonly host: string;
  readonly port: number;
  /** Names: of the handshake, empty for none, and of the request. */
  readonly servername: string;
  readonly headers: { readonly host: string };
}

/** What stands in the way of an answer to `GET /v2/` at an address of nginx; `undefined` for an answer. */
export async function askSilently(
  at: AskedAt,
  plain: boolean,
  within = ASKED_WITHIN,
): Promise<string | undefined> {
  return silenceOf(await ask(at, plain, { method: 'GET', within }));
}

function silenceOf({ status, body }: Answered): string | undefined {
  if (status >= 200 && status < 500) return undefined;
  const said = body.trim().slice(0, 200);
  return status === 0 ? said : `${status} ${said}`;
}

/** Asks without a password, so it does not matter who answers. Status 0 is no answer, and why. */
function ask(
  at: AskedAt,
  plain: boolean,
  { method, within }: { method: Method; within: number },
): Promise<Answered> {
  const options = { ...at, method, path: '/v2/', agent: false };
  return new Promise((resolve) => {
    const silent = (error: Error) => resolve({ status: 0, body: error.message });
    const asked = plain ? requestPlainly(options) : request({ ...options, rejectUnauthorized: false });
    asked.setTimeout(within, () => asked.destroy(new Error(`no answer within ${within / 1000} s`)));
    asked.once('error', silent);
    asked.once('response', (response) => {
      text(response).then((body) => resolve({ status: response.statusCode ?? 0, body }), silent);
    });
    asked.end();
  });
}

async function answersPlainly(settings: Settings): Promise<string | undefined> {
  const { host, port } = httpAddress(settings);
  try {
    const url = new URL(`http://${bracketed(host)}:${port}/`);
    await fetch(url, { redirect: 'manual', signal: AbortSignal.timeout(ANSWER_WITHIN) });
    return 'plain HTTP';
  } catch {
    return undefined;
  }
}
