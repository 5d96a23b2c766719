import { Failure } from '../errors.ts';
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

const SERVED_WITHIN = 30_000;
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
    if (before.kind === 'present') {
      await store.activate(before.generation);
      await webServer.reload().catch(() => undefined); // the first failure is the one to tell
    }
    throw error;
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

async function load(
  { webServer, clock, names }: Deployment,
  generation: Generation,
  report: Report,
): Promise<void> {
  const wanted = generation.certificate.fingerprint;
  const name = names[0] ?? '';
  report('nginx reloads');
  await webServer.reload();
  let shown: string | undefined;
  let inARow = 0;
  const served = await eventually(clock, { within: SERVED_WITHIN, every: LOOK_EVERY }, async () => {
    shown = await webServer.served(name);
    inARow = shown === wanted ? inARow + 1 : 0;
    return inARow >= STEADY ? true : undefined;
  });
  if (served === true) return;
  throw new Failure(
    'not-served',
    `nginx shows ${shown === undefined ? 'no certificate' : `the certificate ${shown}`} for ${name}, not ${wanted}.`,
    'The previous certificate is in force. Look into the logs: docker compose logs nginx',
  );
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
    'Mend the file it names (your own are in nginx/user.d), then run this again. What is served did not change.',
  );
}
