import type Docker from 'dockerode';
import type { Beside } from './engine.ts';
import type { NamedOptions } from './one-shot.ts';

/**
 * What makes a container like another one, down to its rights and limits, that runs something else once. It has the
 * folders of the host and what is in memory, but no volumes: sockets stay those of the other one.
 * @returns the networks beside the one in the options; an engine before API 1.44 takes one at a time
 */
export function optionsBeside(
  { Config, HostConfig, Image, Mounts, NetworkSettings }: Docker.ContainerInspectInfo,
  { name, args, env, writable, labels }: Beside,
): { readonly options: NamedOptions; readonly networks: readonly string[] } {
  const folders = Mounts.filter((mount) => mount.Type === 'bind');
  const options: NamedOptions = {
    name,
    Image,
    Entrypoint: Config.Entrypoint ?? [],
    Cmd: [...args],
    Env: [...Config.Env, ...Object.entries(env).map(([key, value]) => `${key}=${value}`)],
    User: Config.User,
    WorkingDir: Config.WorkingDir,
    Labels: { ...labels },
    Healthcheck: { Test: ['NONE'] },
    Tty: false,
    HostConfig: {
      ...HostConfig,
      Binds: [],
      VolumesFrom: [],
      PortBindings: {},
      RestartPolicy: { Name: 'no' },
      Mounts: folders.map(({ Source, Destination, RW }) => ({
        Type: 'bind',
        Source,
        Target: Destination,
        ReadOnly: !RW && !writable.includes(Destination),
      })),
    },
  };
  const networks = Object.keys(NetworkSettings.Networks).filter((each) => each !== HostConfig.NetworkMode);
  return { options, networks };
}
