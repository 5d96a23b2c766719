import { Failure } from './errors.ts';

export const WITHOUT_PODMAN = [
  'Remove what has Podman stand in for Docker, then run this again; Podman under its own name may stay:',
  '  systemctl disable --now podman.socket',
  '  dnf remove podman-docker  # or: apt-get remove podman-docker',
].join('\n');

/** @param at where it was met: the socket, or the command `docker` */
export function podmanInstead(version: string, at: string): Failure {
  return new Failure(
    'podman',
    `What is Docker here (${at}) is Podman ${version}, which the parts of Moorage do not run on.`,
    WITHOUT_PODMAN,
  );
}
