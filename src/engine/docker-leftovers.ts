import type Docker from 'dockerode';
import type { Leftovers } from './engine.ts';
import { isConflict, isForbidden, isNotFound } from './status.ts';

export class DockerLeftovers implements Leftovers {
  readonly #docker: Docker;

  constructor(docker: Docker) {
    this.#docker = docker;
  }

  async remove(project: string, names: readonly string[]): Promise<void> {
    const label = [`com.docker.compose.project=${project}`];
    const wanted = (labels: Record<string, string> | undefined, kind: string) =>
      names.includes(labels?.[`com.docker.compose.${kind}`] ?? '');
    const networks = await this.#docker.listNetworks({ filters: { label } });
    for (const { Id, Labels } of networks)
      if (wanted(Labels, 'network')) await unlessUsed(this.#docker.getNetwork(Id).remove());
    const { Volumes } = await this.#docker.listVolumes({ filters: { label } });
    for (const { Name, Labels } of Volumes ?? [])
      if (wanted(Labels, 'volume')) await unlessUsed(this.#docker.getVolume(Name).remove());
  }
}

/** The engine refuses to take away what a container has: 403 for a network, 409 for a volume. */
async function unlessUsed(removal: Promise<unknown>): Promise<void> {
  try {
    await removal;
  } catch (error) {
    if (!isForbidden(error) && !isConflict(error) && !isNotFound(error)) throw error;
  }
}
