import Docker from 'dockerode';
import { podmanInstead } from '../podman.ts';
import { engineAddress, engineAway, socketOf, whereOf } from './address.ts';
import { DockerContainers } from './docker-containers.ts';
import { DockerImages } from './docker-images.ts';
import { DockerLeftovers } from './docker-leftovers.ts';
import type { Engine } from './engine.ts';

/** Talks to the engine at `dockerHost` (`unix:///…` or `tcp://…`, as in DOCKER_HOST), or at its usual socket. */
export function connect(dockerHost: string | undefined): Engine {
  const address = engineAddress(dockerHost);
  const docker = new Docker('host' in address ? { ...address, protocol: 'http' } : address);
  return {
    images: new DockerImages(docker),
    containers: new DockerContainers(docker),
    leftovers: new DockerLeftovers(docker),
    version: async () => {
      const { Version: version, Components: components } = await docker.version().catch((error: unknown) => {
        throw engineAway(error, dockerHost);
      });
      // Engines older than 18.09 have none.
      if (components?.some(({ Name }) => Name === 'Podman Engine'))
        throw podmanInstead(version, whereOf(dockerHost));
      return version;
    },
    machine: async () => {
      const [{ Arch: architecture }, { DockerRootDir }] = await Promise.all([
        docker.version(),
        docker.info(),
      ]);
      const local = socketOf(dockerHost) !== undefined && typeof DockerRootDir === 'string';
      return { architecture, dataFolder: local ? DockerRootDir : undefined };
    },
  };
}
