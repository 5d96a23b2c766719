import Docker from 'dockerode';
import { Failure, messageOf } from '../errors.ts';
import { engineAddress, engineAway } from './address.ts';
import type { Held, HeldContainer, Holdings } from './holdings.ts';
import { isConflict, isForbidden, isNotFound } from './status.ts';

/** @param dockerHost as in DOCKER_HOST */
export function connectHoldings(dockerHost: string | undefined): Holdings {
  const address = engineAddress(dockerHost);
  return new DockerHoldings(
    new Docker('host' in address ? { ...address, protocol: 'http' } : address),
    dockerHost,
  );
}

class DockerHoldings implements Holdings {
  readonly #docker: Docker;
  readonly #dockerHost: string | undefined;

  constructor(docker: Docker, dockerHost: string | undefined) {
    this.#docker = docker;
    this.#dockerHost = dockerHost;
  }

  async look(): Promise<Held> {
    await this.#docker.ping().catch((error) => {
      throw engineAway(error, this.#dockerHost);
    });
    const [containers, networks, { Volumes }, images] = await Promise.all([
      this.#docker.listContainers({ all: true }),
      this.#docker.listNetworks(),
      this.#docker.listVolumes(),
      this.#docker.listImages(),
    ]);
    return {
      containers: containers.map(containerOf),
      networks: networks.map(({ Id, Name, Labels }) => ({ id: Id, name: Name, labels: Labels ?? {} })),
      volumes: (Volumes ?? []).map(({ Name, Labels }) => ({ name: Name, labels: Labels ?? {} })),
      images: images.map(({ Id, RepoTags, Labels, Size }) => ({
        id: Id,
        references: (RepoTags ?? []).filter((name) => name !== '<none>:<none>'),
        labels: Labels ?? {},
        bytes: Size,
      })),
    };
  }

  async removeContainer(id: string): Promise<void> {
    const container = this.#docker.getContainer(id);
    // 304: it does not run. Whatever else is wrong with it, what follows says it.
    await container.stop().catch(() => undefined);
    await goneUnless(() => false, id, container.remove({ force: true, v: true }));
  }

  removeNetwork(id: string): Promise<boolean> {
    return goneUnless(isForbidden, id, this.#docker.getNetwork(id).remove());
  }

  removeVolume(name: string): Promise<boolean> {
    return goneUnless(isConflict, name, this.#docker.getVolume(name).remove());
  }

  removeImage(reference: string): Promise<boolean> {
    return goneUnless(isConflict, reference, this.#docker.getImage(reference).remove());
  }
}

/** Whether it is gone. The engine refuses to take away what is in use: 403 for a network, 409 for a volume and an image. */
async function goneUnless(
  inUse: (error: unknown) => boolean,
  name: string,
  removal: Promise<unknown>,
): Promise<boolean> {
  try {
    await removal;
    return true;
  } catch (error) {
    if (inUse(error)) return false;
    if (isNotFound(error)) return true;
    throw new Failure(
      'engine-refused',
      `The engine does not remove ${name}: ${messageOf(error)}`,
      'Fix what it reports, then run this again.',
      { cause: error },
    );
  }
}

function containerOf(told: Docker.ContainerInfo): HeldContainer {
  return {
    id: told.Id,
    name: (told.Names[0] ?? told.Id).replace(/^\//, ''),
    running: told.State === 'running',
    labels: told.Labels,
    image: { id: told.ImageID, reference: told.Image },
    sources: told.Mounts.map(({ Type, Name, Source }) => (Type === 'volume' ? (Name ?? '') : Source)),
  };
}
