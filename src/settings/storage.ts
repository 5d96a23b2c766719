import { BlockList, isIP } from 'node:net';
import { Secret } from '../secret.ts';
import { decoded, nameProblem, unbracketed } from './names.ts';

/** Where the registry keeps images: in REGISTRY_DATA_DIR, or in a bucket. */
export type Storage = { readonly kind: 'filesystem' } | ({ readonly kind: 's3' } & Bucket);

/** A bucket of AWS or of any server that speaks S3. */
export interface Bucket {
  /** `undefined`: AWS's own of the region. */
  readonly endpoint: S3Endpoint | undefined;
  readonly region: string;
  readonly bucket: string;
  readonly accessKey: string;
  readonly secretKey: Secret;
  /** What all keys begin with, without slashes at its ends; may be empty. */
  readonly rootDirectory: string;
  /** `https://host/bucket/key` instead of `https://bucket.host/key`. */
  readonly pathStyle: boolean;
  /** Blobs are fetched from the endpoint itself, by presigned URLs. */
  readonly redirect: boolean;
  /** Absolute path of a PEM file that the endpoint is trusted by, besides the CAs of the system. */
  readonly trust: string | undefined;
}

export interface S3Endpoint {
  /** `https://host[:port]`, without a path. */
  readonly origin: string;
  /** Name or address, without brackets. */
  readonly host: string;
  readonly tls: boolean;
}

/** Where the registry remembers the sizes and types of blobs. */
export type Cache =
  | { readonly kind: 'memory' }
  | { readonly kind: 'stack' }
  | ({ readonly kind: 'server' } & RedisServer);

export interface RedisServer {
  readonly host: string;
  readonly port: number;
  readonly user: string | undefined;
  readonly password: Secret | undefined;
  readonly database: number;
}

/** The endpoint that a URL stands for, or the reason it is none. */
export function parseS3Endpoint(text: string): S3Endpoint | string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !['http:', 'https:'].includes(url.protocol))
    return 'is no URL like https://s3.example.com or http://10.0.0.5:9000';
  if (url.username !== '' || url.password !== '')
    return 'must not carry keys; they go into S3_ACCESS_KEY and S3_SECRET_KEY';
  if (url.pathname !== '/' || url.search !== '' || url.hash !== '')
    return 'has a path; the bucket goes into S3_BUCKET, folders in it into S3_ROOT_DIRECTORY';
  const host = unbracketed(url).toLowerCase();
  const problem = nameProblem(host);
  if (problem !== undefined) return `names ${host}, which ${problem}`;
  return { origin: url.origin, host, tls: url.protocol === 'https:' };
}

/** What stands in .env unquoted, and for Compose, the shell and YAML alike means itself. */
const PLAIN = /^[^\s"'`$\\#]*$/;
const HIGHEST_DATABASE = 1_000_000;

/** The cache that `stack` or a Redis URL stands for, or the reason it is none; the reason never repeats the URL. */
export function parseRedisUrl(text: string): Exclude<Cache, { kind: 'memory' }> | string {
  if (text === 'stack') return { kind: 'stack' };
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol === 'rediss:')
    return 'asks for TLS, which distribution does not speak to Redis; use redis:// within a network of your own';
  if (url?.protocol !== 'redis:' || url.hostname === '')
    return 'is neither `stack` nor a URL like redis://user:password@host:6379/0; in user and password write @ : / ? # % as %40 %3A %2F %3F %23 %25';
  const host = unbracketed(url).toLowerCase();
  const problem = nameProblem(host);
  if (problem !== undefined) return `names a host that ${problem}`;
  if (url.search !== '' || url.hash !== '') return 'has something behind the number of the database';
  const database = /^\/?(\d{0,7})$/.exec(url.pathname)?.[1];
  if (database === undefined || Number(database) > HIGHEST_DATABASE)
    return 'must end with the number of a database, like /0, or with none';
  const user = decoded(url.username);
  const password = decoded(url.password);
  if (user === undefined || password === undefined) return 'has a % in it that begins no %XX';
  if (![user, password].every((each) => PLAIN.test(each)))
    return 'has a space, a quote, a backslash, a # or a $ in its user or password; give Redis another password';
  if (user !== '' && password === '') return 'names a user and no password';
  return {
    kind: 'server',
    host,
    port: Number(url.port || '6379'),
    user: user === '' ? undefined : user,
    password: password === '' ? undefined : new Secret(password),
    database: Number(database),
  };
}

/** Folders in a bucket, without slashes at the ends, or the reason that these are none. */
export function rootDirectoryProblem(text: string): string | undefined {
  const parts = text.replace(/^\/|\/$/g, '').split('/');
  if (parts.some((part) => part === '.' || part === '..' || part === ''))
    return 'has an empty part, . or .. in it';
  const simple = parts.every((part) => /^[\w.-]+$/.test(part));
  return simple ? undefined : 'has other characters than letters, digits and _ . - / in it';
}

/** Rules for names of buckets: docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html */
export function bucketProblem(text: string): string | undefined {
  if (/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(text) && !text.includes('..') && isIP(text) === 0)
    return undefined;
  return 'is not the name of a bucket: 3 to 63 lower-case letters, digits, - and .';
}

/** Why this can't be a key of S3 here, or `undefined`. The reason never repeats it. */
export function keyProblem(text: string): string | undefined {
  return PLAIN.test(text)
    ? undefined
    : 'has a space, a quote, a backslash, a # or a $ in it, which .env can not carry; make another key';
}

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('0.0.0.0', 'ipv4');
loopback.addAddress('::1', 'ipv6');
loopback.addAddress('::', 'ipv6');

/** Whether this means the very machine that asks, which in a container is the container. */
export function isLoopback(host: string): boolean {
  const family = isIP(host);
  if (family !== 0) return loopback.check(host, family === 4 ? 'ipv4' : 'ipv6');
  return /^(.*\.)?localhost\.?$/i.test(host);
}
