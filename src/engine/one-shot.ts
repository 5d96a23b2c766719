import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { PassThrough } from 'node:stream';
import type Docker from 'dockerode';
import { Failure, messageOf } from '../errors.ts';
import type { Report } from '../step.ts';
import type { Executed, OneShot } from './engine.ts';
import { isConflict, isConnectionLoss, isNotFound } from './status.ts';

export type NamedOptions = Docker.ContainerCreateOptions & { readonly name: string };

/**
 * create, wait, start, logs, remove. `wait` comes before `start`, else a quick container is missed.
 * @param networks beside the one that the options name
 */
export async function runToItsEnd(
  docker: Docker,
  options: NamedOptions,
  onLine: Report,
  networks: readonly string[] = [],
): Promise<Executed> {
  const container = await create(docker, options);
  try {
    for (const network of networks) await docker.getNetwork(network).connect({ Container: container.id });
    const [{ StatusCode }, output] = await Promise.all([
      container.wait({ condition: 'next-exit' }),
      container.start().then(() => readLines(docker, container, onLine)),
    ]);
    await removeQuietly(container);
    return { exitCode: StatusCode, output };
  } catch (error) {
    // Without the engine the container may go on; the next run waits for it by its name.
    if (isConnectionLoss(error)) throw engineLost(options.name, error);
    await removeQuietly(container);
    throw error;
  }
}

function engineLost(name: string, error: unknown): Failure {
  return new Failure(
    'engine-lost',
    `The engine went away while the container ${name} was at work: ${messageOf(error)}.`,
    'When the engine is back, run this again: what the container did is not lost.',
    { cause: error },
  );
}

async function create(docker: Docker, options: NamedOptions): Promise<Docker.Container> {
  try {
    return await docker.createContainer(options);
  } catch (error) {
    if (!isConflict(error)) throw error;
    await outlive(docker.getContainer(options.name));
    return await docker.createContainer(options);
  }
}

export function optionsOf(spec: OneShot): NamedOptions {
  return {
    name: spec.name,
    Image: spec.image,
    ...(spec.entrypoint === undefined ? {} : { Entrypoint: [spec.entrypoint] }),
    Cmd: [...spec.args],
    Env: Object.entries(spec.env).map(([name, value]) => `${name}=${value}`),
    User: spec.user,
    Labels: { ...spec.labels },
    Tty: false,
    HostConfig: {
      NetworkMode: spec.network,
      Mounts: spec.mounts.map(({ source, target, readOnly }) => ({
        Type: 'bind',
        Source: source,
        Target: target,
        ReadOnly: readOnly ?? false,
      })),
      SecurityOpt: ['no-new-privileges:true'],
      LogConfig: { Type: 'json-file', Config: { 'max-size': '10m' } },
    },
  };
}

/** A run that was killed left its container: let it finish what it does, then take it away. */
export async function outlive(container: Docker.Container): Promise<void> {
  try {
    const { State } = await container.inspect();
    if (State.Running) await container.wait();
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
  await removeQuietly(container);
}

async function readLines(docker: Docker, container: Docker.Container, onLine: Report): Promise<string> {
  const stream = await container.logs({ follow: true, stdout: true, stderr: true });
  const merged = new PassThrough();
  docker.modem.demuxStream(stream, merged, merged);
  stream.once('error', (error) => merged.destroy(error));
  stream.once('close', () => merged.end());
  stream.once('end', () => merged.end());
  const lines: string[] = [];
  const reader = createInterface({ input: merged });
  reader.on('line', (line) => {
    lines.push(line);
    if (line.trim() !== '') onLine(line);
  });
  await once(reader, 'close');
  return lines.join('\n');
}

async function removeQuietly(container: Docker.Container): Promise<void> {
  try {
    await container.remove({ force: true, v: true }); // with volumes that its image declares and nobody has named
  } catch (error) {
    if (!isNotFound(error) && !isConflict(error)) throw error; // gone, or going
  }
}
