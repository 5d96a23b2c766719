import { randomBytes } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { socketOf } from '../engine/address.ts';
import type { Paths } from '../paths.ts';
import { changed, type Done, unchanged } from '../step.ts';
import { writeGenerated } from './env-file.ts';
import { gather } from './load.ts';
import { bracketed, isPrivateName } from './names.ts';
import { providedFolder } from './provided-folder.ts';
import { PINNED } from './schema.ts';
import { type ImageRole, type Program, type Settings, servesBlobs } from './settings.ts';
import type { Cache } from './storage.ts';

interface Place {
  readonly paths: Paths;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** `uid:gid` that owns the state. */
  readonly owner: string;
}

const BUILT_HERE = 'moorage/';

/**
 * Records in `.env` what Compose has to know beyond the person's own settings: the images that were built here, by
 * role, and who owns the state. Makes the secrets that are unset.
 */
export async function recordFindings(
  { paths, environment, owner }: Place,
  settings: Settings,
  images: Readonly<Partial<Record<ImageRole | Program, string>>>,
): Promise<Done> {
  const known = await gather(paths, environment);
  const built = (role: ImageRole) => (isFound(settings, role, images[role]) ? images[role] : undefined);
  const socket = settings.issuer === 'certbot' ? socketOf(environment.DOCKER_HOST) : undefined;
  const names = await writeGenerated(paths.envFile, {
    REGISTRY_HTTP_SECRET: known.REGISTRY_HTTP_SECRET ?? randomBytes(32).toString('base64url'),
    BUILT_REGISTRY_IMAGE: built('registry'),
    BUILT_NGINX_IMAGE: built('nginx'),
    BUILT_CERTBOT_IMAGE: built('certbot') ?? settings.builtImages.certbot,
    BUILT_NODE_IMAGE: built('node'),
    BUILT_REDIS_IMAGE: built('redis') ?? settings.builtImages.redis,
    BUILT_PROMETHEUS_IMAGE: built('prometheus') ?? settings.builtImages.prometheus,
    RENEWER_IMAGE: images.renewer,
    // Compose gets the images of what it does not start, too: without a gate it is one that is needed anyway.
    GATE_IMAGE: images.gate ?? images.registry,
    RELAY_IMAGE: images.relay,
    EXPORTER_IMAGE: images.exporter,
    // So that plain `docker compose` knows these parts, too.
    COMPOSE_PROFILES: settings.monitoring === undefined ? undefined : 'monitoring',
    STATE_OWNER: owner,
    RENEWER_USER: undefined, // what STATE_OWNER was called before there was a gate
    PROVIDED_DIR:
      settings.issuer === 'provided' && settings.provided !== undefined
        ? await providedFolder(settings.provided)
        : undefined,
    MIRROR_AT: mirrorAt(settings),
    ...cacheFindings(settings.cache),
    BLOBS_BY: servesBlobs(settings) ? undefined : 'registry',
    LISTEN: settings.issuer === 'none' ? 'plain' : undefined,
    HSTS: bindsBrowsers(settings) ? 'on' : undefined,
    ENGINE_SOCKET: socket,
    ENGINE_SOCKET_GROUP: socket === undefined ? undefined : String((await stat(socket)).gid),
  });
  return names.length === 0
    ? unchanged('.env is up to date')
    : changed(`.env completed: ${names.join(', ')}`);
}

/** Whether Compose would not know an image by itself: it was built, or an archive has one that is not the pinned one. */
function isFound(
  { images, chosenImages }: Pick<Settings, 'images' | 'chosenImages'>,
  role: ImageRole,
  image: string | undefined,
): boolean {
  if (image === undefined) return false;
  if (image.startsWith(BUILT_HERE)) return true;
  return images === 'load' && image !== PINNED[role] && image !== chosenImages[role];
}

/** The file of compose/mirror that opens the mirror's address; none where there is no mirror. */
function mirrorAt({ mirror, issuer }: Settings): string | undefined {
  if (mirror === undefined) return undefined;
  if (mirror.domain !== undefined) return 'name';
  return issuer === 'none' ? 'port-plain' : 'port-tls';
}

/** Compose can't take a URL to pieces, and distribution wants its pieces. */
function cacheFindings(cache: Cache): Record<string, string | undefined> {
  const server = cache.kind === 'server' ? cache : undefined;
  return {
    CACHE: cache.kind === 'memory' ? undefined : cache.kind,
    REDIS_ADDRESS: server && `${bracketed(server.host)}:${server.port}`,
    REDIS_USER: server?.user,
    REDIS_PASSWORD: server?.password?.reveal(),
    REDIS_DATABASE: server && String(server.database),
  };
}

/**
 * Whether browsers may be told to come back by HTTPS alone (RFC 6797): no name is one of a private network, where another
 * host may have it tomorrow. Whose certificate it is does not matter: they listen to none that they don't trust.
 */
export function bindsBrowsers({ names }: Pick<Settings, 'names'>): boolean {
  return !names.some(isPrivateName);
}
