import { PINNED } from '../settings/schema.ts';
import type { ImageRole, Settings } from '../settings/settings.ts';

/** The Debian release that images are built from, and what its packages are called here. */
export const DEBIAN_SUITE = 'trixie';
export const BASE_IMAGE = `moorage/base:${DEBIAN_SUITE}`;

/** What a build makes: the upstream version that `images/ROLE/Dockerfile` pins is the tag. */
export const BUILT: Readonly<Record<ImageRole, string>> = {
  registry: 'moorage/registry:2.8',
  nginx: 'moorage/nginx:1.26',
  certbot: 'moorage/certbot:4.0',
  node: 'moorage/node:20',
  redis: 'moorage/redis:8.0',
  prometheus: 'moorage/prometheus:2.53',
};

/** What starts the name of an image that was built, here or where an archive was saved. */
export const BUILT_PREFIX = 'moorage/';

/** The label that holds the digest of what an image was built from: the same digest needs no new build. */
export const SOURCE_LABEL = 'moorage.source';

/** The label of a program that was built here: the folder of the checkout that built it, and may take it away again. */
export const CHECKOUT_LABEL = 'moorage.checkout';

/** The image that plays a role once init-tls has run: what the person chose, what was built here, or the pinned one. */
export function imageFor(settings: Pick<Settings, 'chosenImages' | 'builtImages'>, role: ImageRole): string {
  return settings.chosenImages[role] ?? settings.builtImages[role] ?? PINNED[role];
}
