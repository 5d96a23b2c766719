import type { ConfigTest, WebServer } from '../certificates/deploy.ts';
import { servedFingerprint } from '../certificates/handshake.ts';
import type { Engine } from '../engine/engine.ts';
import { Failure } from '../errors.ts';
import type { Settings } from '../settings/settings.ts';
import { expectNotPaused } from './alive.ts';

const HANDSHAKE_TIMEOUT = 5_000;

/** Where nginx answers TLS, seen from this process. */
export function nginxAddress(settings: Settings): { host: string; port: number } {
  if (settings.nginxAddress !== undefined) return settings.nginxAddress;
  return { host: loopbackFor(settings.bindAddress), port: settings.httpsPort };
}

/** Where nginx answers plain HTTP, seen from this process. */
export function httpAddress(settings: Settings): { host: string; port: number } {
  if (settings.nginxAddress !== undefined) return { host: settings.nginxAddress.host, port: 80 };
  return { host: loopbackFor(settings.bindAddress), port: settings.httpPort };
}

function loopbackFor(bindAddress: string | undefined): string {
  if (bindAddress === undefined || bindAddress === '0.0.0.0') return '127.0.0.1';
  return bindAddress === '::' ? '::1' : bindAddress;
}

/** nginx in its container, reached through the engine. */
export class NginxContainer implements WebServer {
  readonly #engine: Engine;
  readonly #settings: Settings;

  constructor(engine: Engine, settings: Settings) {
    this.#engine = engine;
    this.#settings = settings;
  }

  async test(): Promise<ConfigTest> {
    const { exitCode, output } = await this.#exec(['nginx', '-t', '-q']);
    return exitCode === 0 ? { ok: true } : { ok: false, output: output.trim() };
  }

  async reload(): Promise<void> {
    const { exitCode, output } = await this.#exec(['nginx', '-s', 'reload']);
    if (exitCode === 0) return;
    throw new Failure(
      'reload-failed',
      `nginx could not be reloaded: ${output.trim()}`,
      'docker compose restart nginx',
    );
  }

  served(name: string): Promise<string | undefined> {
    return shownBy(this.#settings, name);
  }

  async #exec(command: readonly string[]) {
    const containers = await this.#engine.containers.ofService(this.#settings.project, 'nginx');
    expectNotPaused('nginx', containers);
    const nginx = containers.find(({ running }) => running);
    if (nginx !== undefined) return this.#engine.containers.exec(nginx.id, command);
    throw new Failure('nginx-not-running', 'nginx does not run.', 'Start it with `docker compose up -d`.');
  }
}

/** nginx where there is no engine to ask: it follows the certificate by itself (nginx/entrypoint.d). */
export class DistantNginx implements WebServer {
  readonly #settings: Settings;

  constructor(settings: Settings) {
    this.#settings = settings;
  }

  async test(): Promise<ConfigTest> {
    return { ok: true };
  }

  async reload(): Promise<void> {}

  served(name: string): Promise<string | undefined> {
    return shownBy(this.#settings, name);
  }
}

/** SHA-256 fingerprint that a handshake for `name` shows; `undefined` when there is no handshake. */
export async function shownBy(settings: Settings, name: string): Promise<string | undefined> {
  const handshake = await servedFingerprint({
    ...nginxAddress(settings),
    servername: name,
    timeout: HANDSHAKE_TIMEOUT,
  });
  return handshake.kind === 'shown' ? handshake.fingerprint : undefined;
}
