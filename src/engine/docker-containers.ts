import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import type Docker from 'dockerode';
import type { Report } from '../step.ts';
import { overlap } from '../system/listeners.ts';
import { optionsBeside } from './beside.ts';
import { conditionOf } from './docker-condition.ts';
import type { Beside, Condition, ContainerFacts, Containers, Executed, OneShot } from './engine.ts';
import { optionsOf, outlive, runToItsEnd } from './one-shot.ts';
import { isNotFound } from './status.ts';

export class DockerContainers implements Containers {
  readonly #docker: Docker;

  constructor(docker: Docker) {
    this.#docker = docker;
  }

  async ofService(project: string, service: string): Promise<readonly ContainerFacts[]> {
    const label = [`com.docker.compose.project=${project}`, `com.docker.compose.service=${service}`];
    const containers = await this.#docker.listContainers({ all: true, filters: { label } });
    return containers.filter(({ Labels }) => Labels['com.docker.compose.oneoff'] !== 'True').map(facts);
  }

  async ofProject(project: string): Promise<readonly ContainerFacts[]> {
    const label = [`com.docker.compose.project=${project}`];
    return (await this.#docker.listContainers({ all: true, filters: { label } })).map(facts);
  }

  async publishing(port: number, address: string | undefined): Promise<ContainerFacts | undefined> {
    const containers = await this.#docker.listContainers();
    const found = containers.find(({ Ports }) =>
      Ports.some(({ PublicPort, IP }) => PublicPort === port && overlap(IP, address)),
    );
    return found === undefined ? undefined : facts(found);
  }

  async mounting(folder: string): Promise<readonly ContainerFacts[]> {
    const containers = (await this.#docker.listContainers()).map(facts);
    return containers.filter(({ mounts }) => mounts.some(({ source }) => source === folder));
  }

  async exec(id: string, command: readonly string[]): Promise<Executed> {
    const exec = await this.#docker
      .getContainer(id)
      .exec({ Cmd: [...command], AttachStdout: true, AttachStderr: true });
    const stream = await exec.start({});
    const output = new PassThrough();
    this.#docker.modem.demuxStream(stream, output, output);
    stream.once('end', () => output.end());
    const said = await text(output);
    const { ExitCode } = await exec.inspect();
    return { exitCode: ExitCode ?? 1, output: said };
  }

  async condition(id: string): Promise<Condition | undefined> {
    try {
      return conditionOf(await this.#docker.getContainer(id).inspect());
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  async imagesInUse(): Promise<ReadonlySet<string>> {
    const containers = await this.#docker.listContainers({ all: true });
    return new Set(containers.map(({ ImageID }) => ImageID));
  }

  async runOnce(spec: OneShot, onLine: Report): Promise<Executed> {
    return runToItsEnd(this.#docker, optionsOf(spec), onLine);
  }

  async runBeside(id: string, spec: Beside, onLine: Report): Promise<Executed> {
    const other = await this.#docker.getContainer(id).inspect();
    const { options, networks } = optionsBeside(other, spec);
    return runToItsEnd(this.#docker, options, onLine, networks);
  }

  async restart(id: string): Promise<void> {
    await this.#docker.getContainer(id).restart();
  }

  async isRunning(name: string): Promise<boolean> {
    try {
      return (await this.#docker.getContainer(name).inspect()).State.Running;
    } catch (error) {
      if (isNotFound(error)) return false;
      throw error;
    }
  }

  async outlive(name: string): Promise<void> {
    return outlive(this.#docker.getContainer(name));
  }
}

/** Of `created`, `exited`, `dead` and `removing` none goes on. */
function onHoldIn(state: string): ContainerFacts['onHold'] {
  return state === 'paused' || state === 'restarting' ? state : undefined;
}

function facts(container: Docker.ContainerInfo): ContainerFacts {
  return {
    id: container.Id,
    name: (container.Names[0] ?? container.Id).replace(/^\//, ''),
    running: container.State === 'running',
    onHold: onHoldIn(container.State),
    project: container.Labels['com.docker.compose.project'],
    workingDirectory: container.Labels['com.docker.compose.project.working_dir'],
    networks: Object.keys(container.NetworkSettings?.Networks ?? {}),
    mounts: container.Mounts.map(({ Source, Destination }) => ({ source: Source, destination: Destination })),
  };
}
