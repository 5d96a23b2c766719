import type Docker from 'dockerode';
import type { Condition } from './engine.ts';

/** What the engine tells of one container (Engine API 1.41, ContainerInspect). */
export function conditionOf(told: Docker.ContainerInspectInfo): Condition {
  const { State, Config, HostConfig } = told;
  return {
    status: State.Status,
    health: healthOf(State.Health?.Status),
    check: checkOf(Config.Healthcheck?.Test),
    exitCode: State.ExitCode,
    outOfMemory: State.OOMKilled,
    restarts: told.RestartCount,
    startedAt: new Date(State.StartedAt),
    labels: Config.Labels ?? {},
    image: { id: told.Image, reference: Config.Image },
    environment: Config.Env ?? [],
    log: {
      driver: HostConfig.LogConfig?.Type ?? '',
      path: told.LogPath ?? '',
      options: HostConfig.LogConfig?.Config ?? {},
    },
  };
}

function healthOf(status: string | undefined): Condition['health'] {
  return status === 'starting' || status === 'healthy' || status === 'unhealthy' ? status : undefined;
}

/** The form of Compose and of `docker inspect`: CMD and the command's words, or CMD-SHELL and a line for the shell. */
function checkOf(test: readonly string[] = []): readonly string[] | undefined {
  const [form, ...words] = test;
  if (form === 'CMD') return words;
  return form === 'CMD-SHELL' ? ['/bin/sh', '-c', ...words] : undefined;
}
