import Docker from 'dockerode';
import { Failure, messageOf, systemCode } from '../errors.ts';
import { DockerContainers } from './docker-containers.ts';
import { DockerImages } from './docker-images.ts';
import { DockerLeftovers } from './docker-leftovers.ts';
import type { Engine } from './engine.ts';

const DEFAULT_SOCKET = '/var/run/docker.sock';

/** Talks to the engine at `dockerHost` (`unix:///…` or `tcp://…`, as in DOCKER_HOST), or at its usual socket. */
export function connect(dockerHost: string | undefined): Engine {
  const docker = new Docker(address(dockerHost));
  return {
    images: new DockerImages(docker),
    containers: new DockerContainers(docker),
    leftovers: new DockerLeftovers(docker),
    version: async () => {
      try {
        return (await docker.version()).Version;
      } catch (error) {
        throw unreachable(error, dockerHost ?? `unix://${DEFAULT_SOCKET}`);
      }
    },
  };
}

/** The path of the engine's socket on this machine; `undefined` when the engine is reached over the network. */
export function socketOf(dockerHost: string | undefined): string | undefined {
  if (dockerHost === undefined) return DEFAULT_SOCKET;
  return dockerHost.startsWith('unix://') ? dockerHost.slice('unix://'.length) : undefined;
}

function address(dockerHost: string | undefined): Docker.DockerOptions {
  const socketPath = socketOf(dockerHost);
  if (socketPath !== undefined) return { socketPath };
  const url = new URL(dockerHost ?? '');
  return { host: url.hostname, port: url.port || '2375', protocol: 'http' };
}

function unreachable(error: unknown, where: string): Failure {
  if (systemCode(error) === 'EACCES') {
    return new Failure(
      'engine-permission',
      `You may not use the engine at ${where}.`,
      'Run this as root, or join the docker group (sudo usermod -aG docker "$USER") and log in again.',
      { cause: error },
    );
  }
  return new Failure(
    'engine-unreachable',
    `No engine answers at ${where}: ${messageOf(error)}.`,
    'Start it (sudo systemctl start docker), or let `npm run init-tls` install it.',
    { cause: error },
  );
}
