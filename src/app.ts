import { join } from 'node:path';
import { AttemptGate } from './certificates/attempts.ts';
import type { Issuer } from './certificates/issuer.ts';
import type { RenewalParts } from './certificates/renewal.ts';
import { CertificateStore } from './certificates/store.ts';
import type { Engine } from './engine/engine.ts';
import type { Host } from './host/install.ts';
import { imageFor } from './images/catalog.ts';
import { CertbotIssuer } from './issuers/certbot.ts';
import { LocalIssuer } from './issuers/local.ts';
import { type Paths, paths } from './paths.ts';
import { environment } from './settings/environment.ts';
import { certificateNames, type Settings } from './settings/settings.ts';
import { DistantNginx, NginxContainer } from './stack/nginx.ts';
import { type Clock, systemClock } from './system/clock.ts';
import { type Run, run } from './system/processes.ts';

/** The real parts, put together in one place. Nothing is decided here. */
export interface App {
  readonly paths: Paths;
  readonly clock: Clock;
  readonly run: Run;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** `uid:gid` of this process, who owns the state. */
  readonly owner: string;
}

export function openApp(): App {
  return {
    paths: paths(),
    clock: systemClock,
    run,
    environment: environment(),
    owner: `${process.getuid?.() ?? 0}:${process.getgid?.() ?? 0}`,
  };
}

export function openHost(app: App): Host {
  const { run, clock, environment } = app;
  return { run, clock, fetch, dockerHost: environment.DOCKER_HOST, root: process.getuid?.() === 0 };
}

export function lockFile(app: App, name: 'init-tls' | 'certificate'): string {
  return join(app.paths.state, 'locks', name);
}

/** Everything a renewal touches. Without an engine nginx is left to follow the certificate by itself. */
export function renewalParts(app: App, settings: Settings, engine: Engine | undefined): RenewalParts {
  const { paths: places, clock } = app;
  return {
    names: certificateNames(settings),
    issuer: issuerOf(app, settings, engine),
    store: new CertificateStore(places.certificates, clock),
    webServer: engine === undefined ? new DistantNginx(settings) : new NginxContainer(engine, settings),
    gate: new AttemptGate(join(places.state, 'attempts.json')),
    clock,
    lockFile: lockFile(app, 'certificate'),
  };
}

function issuerOf(app: App, settings: Settings, engine: Engine | undefined): Issuer {
  if (settings.issuer === 'local') return new LocalIssuer(app.paths.localAuthority, app.clock);
  if (engine === undefined) throw new Error('certbot runs in a container: it needs the engine');
  return new CertbotIssuer({
    engine,
    clock: app.clock,
    paths: app.paths,
    project: settings.project,
    image: imageFor(settings, 'certbot'),
    directory: settings.directory,
    email: settings.email,
    acmeTrust: settings.acmeTrust,
    user: app.owner,
  });
}
