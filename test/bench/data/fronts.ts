/** What stands before a registry, or how it stands alone. */
export const FRONTS = [
  'distribution, no TLS',
  'distribution, its own TLS',
  'nginx, as a guide has it',
  'nginx, as the ancestor has it',
  'Caddy',
  'Moorage',
] as const;

export type Front = (typeof FRONTS)[number];

export const LIMIT = 'distribution, no TLS' satisfies Front;
export const MOORAGE = 'Moorage' satisfies Front;
/** What operators had before, and come from. */
export const SEEDS: readonly Front[] = ['nginx, as a guide has it', 'nginx, as the ancestor has it'];
/** Whom Moorage is held against: all that encrypt. */
export const PEERS: readonly Front[] = FRONTS.filter((front) => front !== LIMIT && front !== MOORAGE);

/** All are called the same and show the same certificate; what makes the load knows by itself where each one is. */
export const NAME = 'registry.moorage.example';

/** Which containers of the peers' project a front consists of, the one that is talked to first. */
export const SERVICES: Readonly<Record<Exclude<Front, typeof MOORAGE>, readonly [string, ...string[]]>> = {
  'distribution, no TLS': ['registry'],
  'distribution, its own TLS': ['own-tls'],
  'nginx, as a guide has it': ['guide', 'registry'],
  'nginx, as the ancestor has it': ['ancestor', 'registry'],
  Caddy: ['caddy', 'registry'],
};
/** The parts of Moorage that a request passes. */
export const PARTS = ['nginx', 'registry', 'gate'] as const;

export function urlOf(front: Front): URL {
  return new URL(front === LIMIT ? `http://${NAME}:5000` : `https://${NAME}`);
}
