import { Failure, messageOf, systemCode } from '../errors.ts';

const DEFAULT_SOCKET = '/var/run/docker.sock';

/** Where the engine is asked: as Node's http and dockerode take it. */
export type EngineAddress =
  | { readonly socketPath: string }
  | { readonly host: string; readonly port: string };

/** The path of the engine's socket on this machine; `undefined` when the engine is reached over the network. */
export function socketOf(dockerHost: string | undefined): string | undefined {
  if (dockerHost === undefined) return DEFAULT_SOCKET;
  return dockerHost.startsWith('unix://') ? dockerHost.slice('unix://'.length) : undefined;
}

/** @param dockerHost `unix:///…` or `tcp://…`, as in DOCKER_HOST */
export function engineAddress(dockerHost: string | undefined): EngineAddress {
  const socketPath = socketOf(dockerHost);
  if (socketPath !== undefined) return { socketPath };
  const url = new URL(dockerHost ?? '');
  return { host: url.hostname, port: url.port || '2375' };
}

/** As DOCKER_HOST would name it. */
export function whereOf(dockerHost: string | undefined): string {
  return dockerHost ?? `unix://${DEFAULT_SOCKET}`;
}

/** Failure `engine-unreachable` or `engine-permission`, for an error of the way to the engine. */
export function engineAway(error: unknown, dockerHost: string | undefined): Failure {
  const where = whereOf(dockerHost);
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
