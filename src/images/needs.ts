import type { ImageRole, Program, Settings } from '../settings/settings.ts';

/** What images are needed for. */
export interface Needs {
  /** The registry comes first: it shows whether an image registry answers. */
  readonly roles: readonly [ImageRole, ...ImageRole[]];
  readonly programs: readonly Program[];
}

/** All that any settings may want. */
export const ALL_NEEDS: Needs = {
  roles: ['registry', 'nginx', 'node', 'certbot', 'redis', 'prometheus'],
  programs: ['renewer', 'gate', 'relay', 'exporter'],
};

/** What a stack with these settings needs. */
export function needsOf(
  settings: Pick<Settings, 'issuer' | 'cache' | 'monitoring' | 'auth' | 'mirror'>,
): Needs {
  const roles: [ImageRole, ...ImageRole[]] = ['registry', 'nginx', 'node'];
  if (settings.issuer === 'certbot') roles.push('certbot');
  if (settings.cache.kind === 'stack') roles.push('redis');
  if (settings.monitoring !== undefined) roles.push('prometheus');
  const programs: Program[] = [
    'renewer',
    ...(settings.auth.by === 'gate' ? (['gate'] as const) : []),
    ...(settings.mirror === undefined ? [] : (['relay'] as const)),
    ...(settings.monitoring === undefined ? [] : (['exporter'] as const)),
  ];
  return { roles, programs };
}
