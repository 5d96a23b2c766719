import { resolve } from 'node:path';
import type { Problem } from '../errors.ts';
import type { Paths } from '../paths.ts';
import { Secret } from '../secret.ts';
import { isPrivateName } from './names.ts';
import type { Shape } from './schema.ts';
import { type Cache, isLoopback, type S3Endpoint, type Storage } from './storage.ts';

/** What of storage and cache is right alone but wrong together. */
export function storageRules(shape: Shape): Problem[] {
  return [...(shape.STORAGE === 's3' ? bucketRules(shape) : []), ...cacheRules(shape)];
}

/** The settings are known to be sound together. */
export function storageOf(paths: Paths, shape: Shape): Storage {
  const { S3_BUCKET: bucket, S3_ACCESS_KEY: accessKey, S3_SECRET_KEY: secretKey } = shape;
  if (shape.STORAGE === 'filesystem' || !bucket || !accessKey || !secretKey) return { kind: 'filesystem' };
  return {
    kind: 's3',
    endpoint: shape.S3_ENDPOINT,
    region: shape.S3_REGION,
    bucket,
    accessKey,
    secretKey: new Secret(secretKey),
    rootDirectory: shape.S3_ROOT_DIRECTORY,
    pathStyle: shape.S3_PATH_STYLE ?? shape.S3_ENDPOINT !== undefined,
    redirect: shape.S3_REDIRECT,
    trust: shape.S3_CA_BUNDLE === undefined ? undefined : resolve(paths.root, shape.S3_CA_BUNDLE),
  };
}

export function cacheOf({ REDIS_URL }: Shape): Cache {
  return REDIS_URL ?? { kind: 'memory' };
}

const NEEDED = ['S3_BUCKET', 'S3_ACCESS_KEY', 'S3_SECRET_KEY'] as const;

function bucketRules(shape: Shape): Problem[] {
  const missing = NEEDED.filter((name) => shape[name] === undefined);
  return [
    ...missing.map((input) => ({ input, message: 'is needed by STORAGE=s3' })),
    ...(shape.S3_ENDPOINT === undefined ? amazonRules(shape) : endpointRules(shape, shape.S3_ENDPOINT)),
    ...styleRules(shape),
  ];
}

function amazonRules({ S3_BUCKET, S3_REGION, S3_PATH_STYLE }: Shape): Problem[] {
  if (S3_BUCKET?.includes('.') !== true || S3_PATH_STYLE === true) return [];
  const instead = `S3_ENDPOINT=https://s3.${S3_REGION}.amazonaws.com`;
  return [
    {
      input: 'S3_BUCKET',
      message: `"${S3_BUCKET}" has a dot, so no certificate of AWS fits it; use ${instead}`,
    },
  ];
}

function endpointRules(shape: Shape, { origin, host, tls }: S3Endpoint): Problem[] {
  const problem = (input: string, message: string) => ({ input, message });
  const problems: Problem[] = [];
  if (isLoopback(host))
    problems.push(
      problem(
        'S3_ENDPOINT',
        `"${origin}" is this machine alone, and the registry asks from a container, where that is the container; ` +
          'let the server listen on an address of this machine and name that',
      ),
    );
  else if (shape.S3_REDIRECT && isPrivateName(host) && !isPrivateName(shape.DOMAIN))
    problems.push(
      problem(
        'S3_REDIRECT',
        `"true" sends clients of ${shape.DOMAIN} to ${host}, which only your own network reaches; use false`,
      ),
    );
  if (shape.S3_CA_BUNDLE !== undefined && !tls)
    problems.push(problem('S3_CA_BUNDLE', `is for an https endpoint, and S3_ENDPOINT is ${origin}`));
  return problems;
}

/** distribution 2 has no setting for it: by path with an endpoint, by host name at AWS. */
function styleRules({ S3_PATH_STYLE, S3_ENDPOINT, REGISTRY_IMAGE }: Shape): Problem[] {
  const usual = S3_ENDPOINT !== undefined;
  if (S3_PATH_STYLE === undefined || S3_PATH_STYLE === usual || REGISTRY_IMAGE !== undefined) return [];
  const why = usual ? 'with S3_ENDPOINT' : 'without S3_ENDPOINT';
  return [
    {
      input: 'S3_PATH_STYLE',
      message: `"${S3_PATH_STYLE}" ${why} needs distribution 3; leave it out, or set REGISTRY_IMAGE=registry:3.0.0`,
    },
  ];
}

function cacheRules({ REDIS_URL, REGISTRY_IMAGE }: Shape): Problem[] {
  if (REDIS_URL?.kind !== 'server') return [];
  const problem = (message: string) => ({ input: 'REDIS_URL', message });
  const problems: Problem[] = [];
  if (isLoopback(REDIS_URL.host))
    problems.push(
      problem(
        `names ${REDIS_URL.host}, and the registry asks from a container, where that is the container; ` +
          'name an address of this machine, or use `stack`',
      ),
    );
  if (REDIS_URL.user !== undefined && REGISTRY_IMAGE === undefined)
    problems.push(
      problem(
        'names a user, which needs distribution 3; leave it out (redis://:password@host), or set REGISTRY_IMAGE=registry:3.0.0',
      ),
    );
  return problems;
}
