import Docker from 'dockerode';
import { engineAddress, engineAway } from './address.ts';
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
      try {
        return (await docker.version()).Version;
      } catch (error) {
        throw engineAway(error, dockerHost);
      }
    },
  };
}
