import { Failure, messageOf } from '../errors.ts';
import type { Report } from '../step.ts';
import { type Clock, eventually } from '../system/clock.ts';
import type { Issued } from './issuer.ts';
import type { CertificateStore, Generation } from './store.ts';
import { verifyPair } from './verify.ts';

export type ConfigTest = { readonly ok: true } | { readonly ok: false; readonly output: string };

/** The server that shows the certificate to clients. */
export interface WebServer {
  /** Whether its configuration, with the certificate that is current now, could be loaded. */
  test(): Promise<ConfigTest>;
  /** Loads it; open connections go on undisturbed. */
  reload(): Promise<void>;
  /** SHA-256 fingerprint that a TLS handshake for `name` shows; `undefined` when there is no handshake. */
  served(name: string): Promise<string | undefined>;
}

export interface Deployment {
  readonly store: CertificateStore;
  readonly webServer: WebServer;
  readonly clock: Clock;
  /** All names the certificate has to cover; the handshake asks for the first. */
  readonly names: readonly string[];
}

/** nginx is asked so many times to load a certificate, and given so long each time, in ms. */
const TRIES = 3;
const SERVED_WITHIN = 10_000;
const LOOK_EVERY = 25;
/** For a moment old and new workers accept side by side: one good answer is chance, ten in a row are not. */
const STEADY = 10;

/**
 * Brings an issued certificate to the clients: verify, store, swap the link, `nginx -t`, reload, and a handshake that
 * has to show it. When any of that fails, the certificate that was served before is served again. The configuration
 * has to be sound before (`expectSoundConfig`).
 * @throws Failure `certificate-unfit`, `config-broken`, `not-served`
 */
export async function deploy(deployment: Deployment, issued: Issued, report: Report): Promise<Generation> {
  const { store, webServer, clock, names } = deployment;
  verifyPair(issued, names, clock.now());
  const before = await store.current();
  const generation = await store.add(issued);
  await store.activate(generation);
  try {
    await expectSoundConfig(webServer, 'with the new certificate');
    await load(deployment, generation, report);
    return generation;
  } catch (error) {
    if (before.kind === 'present') await goBack(deployment, before.generation, report);
    throw error;
  }
}

/** What failed before is what is told to the caller; that going back failed as well is told on the way. */
async function goBack(deployment: Deployment, previous: Generation, report: Report): Promise<void> {
  await deployment.store.activate(previous);
  try {
    await load(deployment, previous, report);
    report('the previous certificate is served again');
  } catch (error) {
    report(`going back failed too: ${messageOf(error)}`);
  }
}

/** Makes nginx serve what is current on the disk. Returns whether it had to be loaded. */
export async function serveCurrent(
  deployment: Deployment,
  current: Generation,
  report: Report,
): Promise<boolean> {
  const { webServer, names } = deployment;
  if ((await webServer.served(names[0] ?? '')) === current.certificate.fingerprint) return false;
  await expectSoundConfig(webServer, 'with the certificate on the disk');
  await load(deployment, current, report);
  return true;
}

async function load(deployment: Deployment, generation: Generation, report: Report): Promise<void> {
  const wanted = generation.certificate.fingerprint;
  let shown: string | undefined;
  for (let count = 0; count < TRIES; count += 1) {
    report(count === 0 ? 'nginx reloads' : 'nginx reloads once more');
    await deployment.webServer.reload();
    shown = await shownFor(deployment, wanted);
    if (shown === wanted) return;
  }
  const name = deployment.names[0] ?? '';
  throw new Failure(
    'not-served',
    `nginx shows ${shown === undefined ? 'no certificate' : `the certificate ${shown}`} for ${name}, not ${wanted}.`,
    'The previous certificate is in force. Look into the logs: docker compose logs nginx',
  );
}

/** The fingerprint that is shown in the end: the wanted one only if it is shown steadily. */
async function shownFor(
  { webServer, clock, names }: Deployment,
  wanted: string,
): Promise<string | undefined> {
  let shown: string | undefined;
  let inARow = 0;
  const steady = await eventually(clock, { within: SERVED_WITHIN, every: LOOK_EVERY }, async () => {
    shown = await webServer.served(names[0] ?? '');
    inARow = shown === wanted ? inARow + 1 : 0;
    return inARow >= STEADY ? wanted : undefined;
  });
  return steady ?? (shown === wanted ? undefined : shown);
}

/**
 * Looks whether nginx could load its configuration: a broken one is found before a CA is asked.
 * @throws Failure `config-broken`
 */
export async function expectSoundConfig(webServer: WebServer, when: string): Promise<void> {
  const result = await webServer.test();
  if (result.ok) return;
  throw new Failure(
    'config-broken',
    `nginx -t fails ${when}:\n${result.output}`,
    'Fix the file it names (your own are in nginx/user.d), then run this again. What is served did not change.',
  );
}
