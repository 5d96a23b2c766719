import { isIP } from 'node:net';
import { resolve, sep } from 'node:path';
import type { Problem } from '../errors.ts';
import type { Paths } from '../paths.ts';
import { Secret } from '../secret.ts';
import { unbracketed } from './names.ts';
import type { Shape } from './schema.ts';

/** A pull-through mirror of another registry. */
export interface Mirror {
  /** Origin of the registry that is mirrored: `https://registry-1.docker.io`. */
  readonly upstream: string;
  readonly credentials: UpstreamLogin | undefined;
  /** Absolute path of the PEM file that the upstream is trusted by, beside the public roots. */
  readonly trust: string | undefined;
  /** A name of its own, on the port of the registry; without one it is `port` on the names of the registry. */
  readonly domain: string | undefined;
  readonly port: number;
  /** Absolute path. */
  readonly dataDirectory: string;
  readonly keepDays: number;
}

export interface UpstreamLogin {
  readonly username: string;
  readonly password: Secret;
}

const DEFAULT_PORT = 5443;

type Wanted = Pick<Shape, 'MIRROR_OF' | 'MIRROR_DOMAIN'>;

/** The name that the mirror alone is called by, where there is one. */
export function mirrorDomain({ MIRROR_OF, MIRROR_DOMAIN }: Wanted): string | undefined {
  return MIRROR_OF === undefined ? undefined : MIRROR_DOMAIN?.toLowerCase();
}

/** What is wrong together. Without MIRROR_OF the rest has no effect, and may stay. */
export function mirrorRules(shape: Shape): Problem[] {
  if (shape.MIRROR_OF === undefined) return [];
  return [...loginRules(shape), ...addressRules(shape), ...folderRules(shape)];
}

function loginRules({ MIRROR_USERNAME, MIRROR_PASSWORD }: Shape): Problem[] {
  if ((MIRROR_USERNAME === undefined) === (MIRROR_PASSWORD === undefined)) return [];
  return [{ input: 'MIRROR_USERNAME', message: 'needs MIRROR_PASSWORD, and the other way round' }];
}

function addressRules(shape: Shape): Problem[] {
  const { MIRROR_OF, MIRROR_DOMAIN, MIRROR_PORT, HTTP_PORT, HTTPS_PORT, DOMAIN, EXTRA_DOMAINS } = shape;
  const names = [DOMAIN, ...EXTRA_DOMAINS].map((name) => name.toLowerCase());
  const problems: Problem[] = [];
  const problem = (input: string, message: string) => problems.push({ input, message });

  const upstream = MIRROR_OF && new URL(MIRROR_OF.origin);
  const called = [...names, MIRROR_DOMAIN?.toLowerCase()];
  const ours = [HTTP_PORT, HTTPS_PORT, MIRROR_PORT ?? DEFAULT_PORT];
  if (upstream && called.includes(unbracketed(upstream)) && ours.includes(Number(upstream.port || 443)))
    problem('MIRROR_OF', `"${upstream.origin}" is this registry itself; name another one`);
  if (MIRROR_DOMAIN !== undefined) {
    if (MIRROR_PORT !== undefined)
      problem(
        'MIRROR_PORT',
        `${MIRROR_PORT} is one address and MIRROR_DOMAIN another; leave one of them out`,
      );
    if (isIP(MIRROR_DOMAIN) !== 0)
      problem('MIRROR_DOMAIN', `"${MIRROR_DOMAIN}" is an address; give a host name, or use MIRROR_PORT`);
    if (names.includes(MIRROR_DOMAIN.toLowerCase()))
      problem('MIRROR_DOMAIN', `"${MIRROR_DOMAIN}" is the registry's; give another, or use MIRROR_PORT`);
    return problems;
  }
  for (const [other, taken] of [['HTTP_PORT', HTTP_PORT] as const, ['HTTPS_PORT', HTTPS_PORT] as const])
    if (taken === (MIRROR_PORT ?? DEFAULT_PORT))
      problem('MIRROR_PORT', `${taken} is ${other} too; give each its own`);
  return problems;
}

/** One of them in the other: what the mirror drops would be looked for among what was pushed. */
function folderRules({ MIRROR_DATA_DIR, REGISTRY_DATA_DIR }: Shape): Problem[] {
  const [mirror, registry] = [resolve(MIRROR_DATA_DIR) + sep, resolve(REGISTRY_DATA_DIR) + sep];
  if (!mirror.startsWith(registry) && !registry.startsWith(mirror)) return [];
  const message = `"${MIRROR_DATA_DIR}" and REGISTRY_DATA_DIR are in each other; give each a folder of its own`;
  return [{ input: 'MIRROR_DATA_DIR', message }];
}

export function mirrorSettings({ root }: Pick<Paths, 'root'>, shape: Shape): Mirror | undefined {
  const { MIRROR_OF, MIRROR_USERNAME: username, MIRROR_PASSWORD: password, MIRROR_CA_BUNDLE: trust } = shape;
  if (MIRROR_OF === undefined) return undefined;
  return {
    upstream: MIRROR_OF.origin,
    credentials:
      username === undefined || password === undefined
        ? undefined
        : { username, password: new Secret(password) },
    trust: trust === undefined ? undefined : resolve(root, trust),
    domain: mirrorDomain(shape),
    port: shape.MIRROR_PORT ?? DEFAULT_PORT,
    dataDirectory: resolve(root, shape.MIRROR_DATA_DIR),
    keepDays: shape.MIRROR_KEEP_DAYS,
  };
}
