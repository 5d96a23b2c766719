import { isIP } from 'node:net';
import { z } from 'zod';
import { parseAddresses, parseAlertUrl, parseSmtpUrl } from './alert-targets.ts';
import { parseBackupTarget } from './backup-target.ts';
import { findDirectory } from './directories.ts';
import { parseReserve } from './disk-reserve.ts';
import { parseExceptions, parseForwardProxy } from './forward-proxy.ts';
import { parseTrustedProxies } from './proxies.ts';
import {
  bucketProblem,
  keyProblem,
  parseRedisUrl,
  parseS3Endpoint,
  rootDirectoryProblem,
} from './storage.ts';
import { parseUpstream } from './upstream.ts';
import {
  absolutePath,
  base64url,
  image,
  login,
  meaning,
  name,
  names,
  path,
  port,
  seconds,
  sound,
  yesOrNo,
} from './values.ts';

/** The pinned images: what `compose/*.yaml` names too (a test compares them). */
export const PINNED = {
  registry: 'registry:2.8.3',
  nginx: 'nginx:1.28.0-alpine',
  certbot: 'certbot/certbot:v5.1.0',
  node: 'node:22.21.1-slim',
  redis: 'valkey/valkey:8.1.4-alpine',
  prometheus: 'prom/prometheus:v3.5.0',
  renewer: 'moorage/renewer:0.1.0',
  gate: 'moorage/gate:0.1.0',
  relay: 'moorage/relay:0.1.0',
  exporter: 'moorage/exporter:0.1.0',
} as const;

const ISSUERS = ['auto', 'certbot', 'acme', 'local', 'provided', 'none'] as const;

/** What a person sets. */
const own = {
  DOMAIN: name.default('localhost'),
  EXTRA_DOMAINS: names.default([]),
  EMAIL: z.email('is not an e-mail address').optional(),
  TLS_ISSUER: z.enum(ISSUERS, { error: `must be one of ${ISSUERS.join(', ')}` }).default('auto'),
  ACME_DIRECTORY: meaning(findDirectory).prefault('letsencrypt'),
  ACME_FALLBACK_DIRECTORY: meaning(findDirectory).optional(),
  ACME_CA_BUNDLE: path.optional(),
  ACME_PROFILE: z
    .string()
    .regex(/^[A-Za-z0-9._-]{1,64}$/, 'is not the name of a profile')
    .optional(),
  ACME_EAB_KID: z
    .string()
    .regex(/^[A-Za-z0-9._~+/=-]{1,256}$/, 'is not a key identifier')
    .optional(),
  ACME_EAB_HMAC_KEY: base64url.optional(),
  ACME_CHALLENGE: z.enum(['http-01', 'dns-01'], { error: 'must be http-01 or dns-01' }).default('http-01'),
  ACME_DNS_HOOK: absolutePath.optional(),
  ACME_DNS_HOOK_ENV: absolutePath.optional(),
  TLS_CERT_FILE: absolutePath.optional(),
  TLS_KEY_FILE: absolutePath.optional(),
  ALERT_URL: meaning(parseAlertUrl).optional(),
  ALERT_EMAIL: meaning(parseAddresses).optional(),
  ALERT_FROM: meaning(parseAddresses)
    .refine((addresses) => addresses.length === 1, 'must be one address')
    .optional(),
  SMTP_URL: meaning(parseSmtpUrl).optional(),
  BIND_ADDRESS: z
    .string()
    .refine((value) => isIP(value) !== 0, 'is not an IP address')
    .optional(),
  HTTP_PORT: port.default(80),
  HTTPS_PORT: port.default(443),
  BEHIND_PROXY: meaning(parseTrustedProxies).prefault('false'),
  AUTH: z.enum(['gate', 'registry'], { error: 'must be gate or registry' }).default('gate'),
  AUTH_TTL: seconds(1, 3600).default(60),
  SERVE_BLOBS: z.enum(['nginx', 'registry'], { error: 'must be nginx or registry' }).default('nginx'),
  IMAGES: z
    .enum(['auto', 'pull', 'build', 'load'], { error: 'must be one of auto, pull, build, load' })
    .default('auto'),
  IMAGES_FILE: path.default('./var/images.tar'),
  REGISTRY_IMAGE: image.optional(),
  NGINX_IMAGE: image.optional(),
  CERTBOT_IMAGE: image.optional(),
  NODE_IMAGE: image.optional(),
  REGISTRY_DATA_DIR: path.default('./registry/data'),
  DISK_RESERVE: meaning(parseReserve).prefault('2GiB'),
  MIRROR_OF: meaning(parseUpstream).optional(),
  MIRROR_USERNAME: login.refine((value) => !value.includes(':'), 'has a colon in it').optional(),
  MIRROR_PASSWORD: login.optional(),
  MIRROR_CA_BUNDLE: path.optional(),
  MIRROR_DOMAIN: name.optional(),
  MIRROR_PORT: port.optional(),
  MIRROR_DATA_DIR: path.default('./var/mirror'),
  MIRROR_KEEP_DAYS: z
    .string()
    .regex(/^\d{1,4}$/, 'is not a number of days')
    .transform(Number)
    .refine((value) => value >= 1 && value <= 3650, 'is not between 1 and 3650 days')
    .default(7),
  COMPOSE_PROJECT_NAME: z
    .string()
    .regex(
      /^[a-z0-9][a-z0-9_-]*$/,
      'must be lower-case letters, digits, - and _, and begin with a letter or digit',
    )
    .default('moorage'),

  HTTP_PROXY: meaning(parseForwardProxy).optional(),
  HTTPS_PROXY: meaning(parseForwardProxy).optional(),
  NO_PROXY: meaning(parseExceptions).prefault(''),

  STORAGE: z.enum(['filesystem', 's3'], { error: 'must be filesystem or s3' }).default('filesystem'),
  S3_ENDPOINT: meaning(parseS3Endpoint).optional(),
  S3_REGION: z
    .string()
    .regex(/^[A-Za-z0-9-]{1,64}$/, 'is not the name of a region, like eu-central-1')
    .default('us-east-1'),
  S3_BUCKET: sound(bucketProblem).optional(),
  S3_ACCESS_KEY: sound(keyProblem).optional(),
  S3_SECRET_KEY: sound(keyProblem).optional(),
  S3_ROOT_DIRECTORY: sound(rootDirectoryProblem)
    .transform((value) => value.replace(/^\/|\/$/g, ''))
    .default(''),
  S3_PATH_STYLE: yesOrNo.optional(),
  S3_REDIRECT: yesOrNo.default(false),
  S3_CA_BUNDLE: path.optional(),
  REDIS_URL: meaning(parseRedisUrl).optional(),
  REDIS_IMAGE: image.optional(),
  MONITORING: yesOrNo.default(false),
  PROMETHEUS_PORT: port.default(9090),
  PROMETHEUS_IMAGE: image.optional(),

  BACKUP_TARGET: meaning(parseBackupTarget).optional(),
  BACKUP_PASSWORD: z.string().min(1).optional(),
  AWS_ACCESS_KEY_ID: z.string().optional(),
  AWS_SECRET_ACCESS_KEY: z.string().optional(),

  // 0 while the renewal is left to the host.
  RENEWER_REPLICAS: z.enum(['0', '1'], { error: 'must be 0 or 1' }).default('1'),
};

/** What init-tls writes about this machine (generated.ts), and Compose hands on. */
const found = {
  REGISTRY_HTTP_SECRET: z.string().min(32, 'is shorter than 32 characters').optional(),
  BUILT_REGISTRY_IMAGE: image.optional(),
  BUILT_NGINX_IMAGE: image.optional(),
  BUILT_CERTBOT_IMAGE: image.optional(),
  BUILT_NODE_IMAGE: image.optional(),
  BUILT_REDIS_IMAGE: image.optional(),
  BUILT_PROMETHEUS_IMAGE: image.optional(),
  RENEWER_IMAGE: image.optional(),
  GATE_IMAGE: image.optional(),
  RELAY_IMAGE: image.optional(),
  EXPORTER_IMAGE: image.optional(),
  MIRROR_AT: z.enum(['port-tls', 'port-plain', 'name'], { error: 'is not what init-tls writes' }).optional(),
  CACHE: z.enum(['memory', 'stack', 'server'], { error: 'must be memory, stack or server' }).optional(),
  REDIS_ADDRESS: z.string().optional(),
  REDIS_USER: z.string().optional(),
  REDIS_PASSWORD: z.string().optional(),
  REDIS_DATABASE: z.string().optional(),
  LISTEN: z.enum(['tls', 'plain'], { error: 'must be tls or plain' }).optional(),
  PROVIDED_DIR: absolutePath.optional(),
  ENGINE_SOCKET: path.optional(),
  ENGINE_SOCKET_GROUP: z.string().regex(/^\d+$/, 'is not a group id').optional(),
  STATE_OWNER: z
    .string()
    .regex(/^\d+:\d+$/, 'is not uid:gid')
    .optional(),

  // Given by Compose to the renewer.
  NGINX_ADDRESS: z
    .string()
    .regex(/^[a-z0-9.-]+:\d+$/, 'is not host:port')
    .optional(),
};

/** Every setting, as text from the environment or `.env`. An empty value is an unset one, as in Compose. */
export const schema = z.object({ ...own, ...found });

export type Shape = z.output<typeof schema>;
export const SETTING_NAMES: readonly string[] = Object.keys(schema.shape);
/** Without what init-tls found out: what can be told of another machine. */
export const OWN_NAMES: readonly string[] = Object.keys(own);
