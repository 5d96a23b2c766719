import { X509Certificate } from 'node:crypto';
import { resolve } from 'node:path';
import type { z } from 'zod';
import { type Problem, WrongInput } from '../errors.ts';
import type { Paths } from '../paths.ts';
import { Secret } from '../secret.ts';
import { readIfExists } from '../system/files.ts';
import { dnsHookEnvProblem, dnsHookProblem } from './dns-hook.ts';
import { readAll } from './env-file.ts';
import { mirrorSettings } from './mirror.ts';
import { resolveIssuer, rules } from './rules.ts';
import { SETTING_NAMES, type Shape, schema } from './schema.ts';
import type { Settings } from './settings.ts';
import { cacheOf, storageOf } from './storage-rules.ts';

/**
 * Read from `.env` alone. Under these names a shell says how its own programs go out; whoever runs a command there does
 * not mean to have the engine's way changed by it.
 */
const OF_FILE_ALONE = ['HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY'];

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads the settings: the environment wins over `.env`, as in Compose.
 * @throws WrongInput with every problem there is, each naming the variable, the value and what would be right
 */
export async function loadSettings(paths: Paths, environment: Environment): Promise<Settings> {
  return parseSettings(paths, await gather(paths, environment));
}

/** The text of every setting that is set, by name. See `OF_FILE_ALONE` for what the environment has no say in. */
export async function gather(paths: Paths, environment: Environment): Promise<Record<string, string>> {
  const file = readAll((await readIfExists(paths.envFile)) ?? '');
  const given = (name: string) => (OF_FILE_ALONE.includes(name) ? undefined : environment[name]);
  const set = SETTING_NAMES.map((name) => [name, (given(name) ?? file[name] ?? '').trim()] as const);
  return Object.fromEntries(set.filter(([, value]) => value !== ''));
}

/**
 * The settings of another machine's checkout. Files that they name are not looked at: absolute paths are that machine's.
 * @param paths of that checkout, there
 * @throws WrongInput as `loadSettings`
 */
export function settingsElsewhere(paths: Paths, values: Readonly<Record<string, string>>): Settings {
  const shape = shapeOf(values);
  const problems = rules(shape);
  if (problems.length > 0) throw new WrongInput(problems);
  return settings(paths, shape);
}

function shapeOf(values: Readonly<Record<string, string>>): Shape {
  const parsed = schema.safeParse(values);
  if (!parsed.success) throw new WrongInput(parsed.error.issues.map((issue) => describe(issue, values)));
  return parsed.data;
}

/** What is wrong with a value whatever the others are; `undefined`: nothing, as far as can be told from it alone. */
export function valueProblem(name: string, value: string): string | undefined {
  if (value === '') return undefined; // it is to be unset
  const { error } = schema.safeParse({ [name]: value });
  return error?.issues.map((issue) => describe(issue, { [name]: value }).message).join('; ');
}

/** Whether a setting's value is shown to nobody. */
export function isSecret(name: string, value: string): boolean {
  return (
    /SECRET|HMAC_KEY|PASSWORD|ALERT_URL|SMTP_URL|REDIS_URL|^HTTPS?_PROXY/.test(name) ||
    /:\/\/.*@/s.test(value)
  );
}

async function parseSettings(paths: Paths, values: Record<string, string>): Promise<Settings> {
  const shape = shapeOf(values);
  const problems = [
    ...rules(shape),
    ...(await trustProblems(paths, 'ACME_CA_BUNDLE', shape.ACME_CA_BUNDLE)),
    ...(await trustProblems(paths, 'MIRROR_CA_BUNDLE', shape.MIRROR_OF && shape.MIRROR_CA_BUNDLE)),
    ...(await trustProblems(paths, 'S3_CA_BUNDLE', shape.S3_CA_BUNDLE)),
    ...(await hookProblems(shape)),
  ];
  if (problems.length > 0) throw new WrongInput(problems);
  return settings(paths, shape);
}

function describe(issue: z.core.$ZodIssue, values: Readonly<Record<string, string>>): Problem {
  const [name, index] = issue.path.map(String);
  const value = values[name ?? ''] ?? '';
  const wrong = index === undefined ? value : (value.split(',')[Number(index)] ?? '').trim();
  const shown = isSecret(name ?? '', value) ? '' : `"${wrong}" `;
  return { input: name ?? 'settings', message: `${shown}${issue.message}` };
}

/** What is wrong with a setting that names a PEM file. */
export async function trustProblems(
  paths: Pick<Paths, 'root'>,
  input: string,
  file: string | undefined,
): Promise<Problem[]> {
  if (file === undefined) return [];
  const problem = (message: string) => [{ input, message: `"${file}" ${message}` }];
  const pem = await readIfExists(resolve(paths.root, file)).catch(() => '');
  if (pem === undefined) return problem('does not exist');
  try {
    new X509Certificate(pem);
    return [];
  } catch {
    return problem('holds no PEM certificate');
  }
}

async function hookProblems({ ACME_DNS_HOOK: hook, ACME_DNS_HOOK_ENV: env }: Shape): Promise<Problem[]> {
  const found = [
    { input: 'ACME_DNS_HOOK', file: hook, unfit: hook && (await dnsHookProblem(hook)) },
    { input: 'ACME_DNS_HOOK_ENV', file: env, unfit: env && (await dnsHookEnvProblem(env)) },
  ];
  return found.flatMap(({ input, file, unfit }) =>
    unfit ? [{ input, message: `"${file}" ${unfit.what}; ${unfit.remedy}` }] : [],
  );
}

function settings(paths: Paths, shape: Shape): Settings {
  const [host, port] = (shape.NGINX_ADDRESS ?? '').split(':');
  return {
    domain: shape.DOMAIN.toLowerCase(),
    names: [...new Set([shape.DOMAIN, ...shape.EXTRA_DOMAINS].map((name) => name.toLowerCase()))],
    email: shape.EMAIL,
    issuer: resolveIssuer(shape),
    directory: shape.ACME_DIRECTORY,
    fallbackDirectory: shape.ACME_FALLBACK_DIRECTORY,
    profile: shape.ACME_PROFILE,
    externalAccount: both(shape.ACME_EAB_KID, shape.ACME_EAB_HMAC_KEY, (kid, hmacKey) => ({ kid, hmacKey })),
    challenge: shape.ACME_CHALLENGE,
    dnsHook:
      shape.ACME_DNS_HOOK === undefined
        ? undefined
        : { program: shape.ACME_DNS_HOOK, envFile: shape.ACME_DNS_HOOK_ENV },
    provided: both(shape.TLS_CERT_FILE, shape.TLS_KEY_FILE, (certificate, key) => ({ certificate, key })),
    alerts: {
      webhook: shape.ALERT_URL,
      mail: both(shape.SMTP_URL, shape.ALERT_EMAIL, (server, to) => ({
        server,
        to,
        from: shape.ALERT_FROM?.[0],
      })),
    },
    acmeTrust: shape.ACME_CA_BUNDLE === undefined ? undefined : resolve(paths.root, shape.ACME_CA_BUNDLE),
    bindAddress: shape.BIND_ADDRESS ?? (resolveIssuer(shape) === 'none' ? '127.0.0.1' : undefined),
    httpPort: shape.HTTP_PORT,
    httpsPort: shape.HTTPS_PORT,
    trustedProxies: shape.BEHIND_PROXY,
    auth: { by: shape.AUTH, ttl: shape.AUTH_TTL },
    blobsBy: shape.SERVE_BLOBS,
    images: shape.IMAGES,
    imagesFile: resolve(paths.root, shape.IMAGES_FILE),
    chosenImages: defined({
      registry: shape.REGISTRY_IMAGE,
      nginx: shape.NGINX_IMAGE,
      certbot: shape.CERTBOT_IMAGE,
      node: shape.NODE_IMAGE,
      redis: shape.REDIS_IMAGE,
      prometheus: shape.PROMETHEUS_IMAGE,
    }),
    builtImages: defined({
      registry: shape.BUILT_REGISTRY_IMAGE,
      nginx: shape.BUILT_NGINX_IMAGE,
      certbot: shape.BUILT_CERTBOT_IMAGE,
      node: shape.BUILT_NODE_IMAGE,
      redis: shape.BUILT_REDIS_IMAGE,
      prometheus: shape.BUILT_PROMETHEUS_IMAGE,
    }),
    storage: storageOf(paths, shape),
    cache: cacheOf(shape),
    registryDataDirectory: resolve(paths.root, shape.REGISTRY_DATA_DIR),
    diskReserve: shape.DISK_RESERVE,
    mirror: mirrorSettings(paths, shape),
    proxy: { http: shape.HTTP_PROXY, https: shape.HTTPS_PROXY, except: shape.NO_PROXY },
    monitoring: shape.MONITORING ? { port: shape.PROMETHEUS_PORT } : undefined,
    backup: {
      target: shape.BACKUP_TARGET,
      password: shape.BACKUP_PASSWORD === undefined ? undefined : new Secret(shape.BACKUP_PASSWORD),
      keys: both(shape.AWS_ACCESS_KEY_ID, shape.AWS_SECRET_ACCESS_KEY, (id, secret) => ({
        id,
        secret: new Secret(secret),
      })),
    },
    project: shape.COMPOSE_PROJECT_NAME,
    renewerContainer: shape.RENEWER_REPLICAS === '1',
    nginxAddress: host && port ? { host, port: Number(port) } : undefined,
  };
}

function both<A, B, T>(
  one: A | undefined,
  other: B | undefined,
  join: (one: A, other: B) => T,
): T | undefined {
  return one === undefined || other === undefined ? undefined : join(one, other);
}

type Defined<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

function defined<T extends Record<string, string | undefined>>(record: T): Defined<T> {
  const result: Defined<T> = {};
  for (const key in record) {
    const value = record[key];
    if (value !== undefined) Object.assign(result, { [key]: value });
  }
  return result;
}
