import { join } from 'node:path';
import { readDirectory } from '../acme/directory.ts';
import { prepareHttp } from '../acme/http.ts';
import { Alerter } from '../alerts/alerter.ts';
import { defaultSender, emailChannels } from '../alerts/email.ts';
import { webhookChannel } from '../alerts/webhook.ts';
import type { Issuer } from '../certificates/issuer.ts';
import { Ledger } from '../certificates/ledger.ts';
import { knownLimits } from '../certificates/limits.ts';
import type { RenewalParts } from '../certificates/outlook.ts';
import { StateFile } from '../certificates/state.ts';
import { CertificateStore } from '../certificates/store.ts';
import type { Engine } from '../engine/engine.ts';
import { unreachable } from '../errors.ts';
import { Events } from '../events.ts';
import { type Consent, ensureDebootstrap, type Host } from '../host/install.ts';
import { proxiedFetch } from '../host/proxied-fetch.ts';
import type { Workshop } from '../images/build.ts';
import { imageFor } from '../images/catalog.ts';
import { AcmeIssuer } from '../issuers/acme.ts';
import { CertbotIssuer } from '../issuers/certbot.ts';
import { directorySlug } from '../issuers/certbot-command.ts';
import { DnsHook } from '../issuers/dns-hook.ts';
import { type Doubts, doubtsOf } from '../issuers/doubts.ts';
import { Http01 } from '../issuers/http-01.ts';
import { LocalIssuer } from '../issuers/local.ts';
import { NoIssuer } from '../issuers/none.ts';
import { ProvidedIssuer } from '../issuers/provided.ts';
import type { Solver } from '../issuers/solver.ts';
import { Journal } from '../journal.ts';
import { type Paths, paths } from '../paths.ts';
import type { Directory } from '../settings/directories.ts';
import { environment } from '../settings/environment.ts';
import { type ForwardProxies, proxyVariables } from '../settings/forward-proxy.ts';
import { certificateNames, type Settings } from '../settings/settings.ts';
import { DistantNginx, httpAddress, NginxContainer } from '../stack/nginx.ts';
import { type Clock, systemClock } from '../system/clock.ts';
import { type Run, run, withVariables } from '../system/processes.ts';

const NO_PROXIES: ForwardProxies = { http: undefined, https: undefined, except: [] };

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

/** @param proxy by which it downloads */
export function openHost({ run, clock, environment }: App, proxy: ForwardProxies = NO_PROXIES): Host {
  return {
    run: withVariables(run, proxyVariables(proxy, environment)),
    clock,
    fetch: proxiedFetch(proxy, fetch),
    dockerHost: environment.DOCKER_HOST,
    root: process.getuid?.() === 0,
  };
}

/** Where images are built. */
export function openWorkshop(
  app: App,
  { proxy }: Pick<Settings, 'proxy'>,
  engine: Engine,
  consent: Consent,
): Workshop {
  const host = openHost(app, proxy);
  return {
    engine,
    run: host.run,
    paths: app.paths,
    ensureDebootstrap: ensureDebootstrap(host, consent),
    proxy: proxyVariables(proxy, app.environment),
  };
}

export function lockFile(
  app: Pick<App, 'paths'>,
  name: 'init-tls' | 'certificate' | 'storage' | 'move-to' | 'made',
): string {
  return join(app.paths.state, 'locks', name);
}

export function openEvents({ paths: places, clock }: App): Events {
  return new Events(places.events, clock);
}

export function openJournal(
  { paths: places, clock }: Pick<App, 'paths' | 'clock'>,
  command: 'gc' | 'move-to' | 'restore' | 'storage' | 'upgrade',
): Journal {
  return new Journal(join(places.journals, `${command}.json`), clock);
}

/** Everything a renewal touches. Without an engine nginx is left to follow the certificate by itself. */
export function renewalParts(app: App, settings: Settings, engine: Engine | undefined): RenewalParts {
  const { paths: places, clock } = app;
  const { directory, fallbackDirectory } = settings;
  prepareHttp(settings.acmeTrust, clock);
  return {
    names: certificateNames(settings),
    issuer: openIssuer(app, settings, engine, directory),
    fallback: fallbackDirectory && openIssuer(app, settings, engine, fallbackDirectory),
    store: new CertificateStore(places.certificates, clock),
    webServer: engine === undefined ? new DistantNginx(settings) : new NginxContainer(engine, settings),
    state: new StateFile(join(places.state, 'renewal.json')),
    ledger: new Ledger(places.ledger, clock),
    clock,
    lockFile: lockFile(app, 'certificate'),
    random: Math.random,
  };
}

/** `undefined` where nobody is to be told. */
export function openAlerter({ paths: places, clock }: App, settings: Settings): Alerter | undefined {
  const { webhook, mail } = settings.alerts;
  const channels = [
    ...(webhook === undefined ? [] : [webhookChannel(webhook)]),
    ...(mail === undefined
      ? []
      : emailChannels(mail.server, mail.from ?? defaultSender(settings.domain), mail.to)),
  ];
  if (channels.length === 0) return undefined;
  return new Alerter({ path: join(places.state, 'alerts.json'), channels, clock });
}

function openIssuer(app: App, settings: Settings, engine: Engine | undefined, directory: Directory): Issuer {
  const { paths: places, clock, owner } = app;
  switch (settings.issuer) {
    case 'local':
      return new LocalIssuer(places.localAuthority, clock);
    case 'provided':
      if (settings.provided === undefined) throw new Error('the rules demand the provided files');
      return new ProvidedIssuer(settings.provided, clock);
    case 'acme':
      return openAcme(app, settings, directory);
    case 'certbot':
      if (engine === undefined) throw new Error('certbot runs in a container: it needs the engine');
      return new CertbotIssuer({
        engine,
        clock,
        paths: places,
        project: settings.project,
        image: imageFor(settings, 'certbot'),
        directory,
        email: settings.email,
        externalAccount: settings.externalAccount,
        profile: settings.profile,
        acmeTrust: settings.acmeTrust,
        user: owner,
        ledger: new Ledger(places.ledger, clock),
        limits: knownLimits(directory.url),
        solver: openSolver(app, settings),
        doubts: openDoubts(app, settings, directory),
        // certbot may reach what this process does not: then its own check of the dates has to do.
        clockOfCa: async () => (await readDirectory(directory.url).catch(() => undefined))?.date,
      });
    case 'none':
      return new NoIssuer();
    default:
      return unreachable(settings.issuer);
  }
}

function openAcme(app: App, settings: Settings, directory: Directory): AcmeIssuer {
  const { clock, paths: places } = app;
  const staging = directory.rehearsal && { url: directory.rehearsal, public: true, staging: true };
  return new AcmeIssuer({
    folder: join(places.acme, directorySlug(directory)),
    directory: directory.url,
    email: settings.email,
    externalAccount: settings.externalAccount,
    clock,
    limits: knownLimits(directory.url),
    profile: settings.profile,
    solver: openSolver(app, settings),
    ledger: new Ledger(places.ledger, clock),
    doubts: openDoubts(app, settings, directory),
    staging: staging ? openAcme(app, settings, staging) : undefined,
    free: !directory.public || directory.staging === true,
  });
}

function openDoubts(app: App, settings: Settings, directory: Directory): Doubts | undefined {
  if (!directory.public) return undefined;
  const issuerDomains = async () => (await readDirectory(directory.url)).caaIdentities;
  return doubtsOf({ solver: openSolver(app, settings), issuerDomains });
}

function openSolver(app: App, settings: Settings): Solver {
  if (settings.dnsHook !== undefined && settings.challenge === 'dns-01')
    return new DnsHook({ ...app, ...settings.dnsHook });
  return new Http01(app.paths.challenges, httpAddress(settings));
}
