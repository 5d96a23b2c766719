import type { Certificate } from '../certificates/certificate.ts';
import { Failure, WrongInput } from '../errors.ts';
import { authorityFile } from '../issuers/local.ts';
import type { Paths } from '../paths.ts';
import { endpointOf } from '../registry/ensure-proof.ts';
import { mirrorAuthority, registryAuthority, type Settings } from '../settings/settings.ts';
import type { Clock } from '../system/clock.ts';
import { readIfExists } from '../system/files.ts';
import { type Authority, readAuthority, sameFingerprint } from './authority.ts';
import { fetchAuthority } from './fetch-authority.ts';
import { OWN, type TrustedRegistry } from './machine.ts';
import type { RegistryName } from './registry-name.ts';
import { expectVouched, vouched } from './vouch.ts';

/** What there is to trust, or why there is nothing. */
export type Which =
  | { readonly kind: 'registry'; readonly registry: TrustedRegistry }
  | { readonly kind: 'nothing'; readonly why: string };

interface OwnParts {
  readonly paths: Paths;
  readonly settings: Settings;
  readonly clock: Clock;
  /** What the registry shows now; `undefined` before init-tls. */
  readonly certificate: Certificate | undefined;
}

/**
 * This checkout's registry, with the CA it has or the one that is given.
 * @param file of a CA, for a registry whose certificates come from elsewhere
 * @throws Failure `not-set-up`, `ca-needed`, `no-authority`
 */
export async function ownRegistry(parts: OwnParts, file: string | undefined): Promise<Which> {
  const { paths, settings, clock } = parts;
  const { issuer, directory, trustedProxies } = settings;
  const trusting = (ca: Authority): Which => ({
    kind: 'registry',
    registry: { id: OWN, ...namesOf(settings), ca },
  });
  if (issuer === 'local') {
    if (file !== undefined)
      throw new WrongInput([
        { input: '--ca', message: 'is for other registries; this one has a CA of its own' },
      ]);
    const path = authorityFile(paths.localAuthority);
    const pem = await readIfExists(path);
    if (pem === undefined) throw notSetUp(path);
    return trusting(readAuthority(pem, path, clock.now()));
  }
  if (file !== undefined) return trusting(await readGiven(file, clock));
  if (issuer === 'none')
    return {
      kind: 'nothing',
      why:
        trustedProxies.length > 0
          ? 'its certificate is up to the proxy in front; where that has a private CA, give it by --ca FILE'
          : 'it speaks plain HTTP (TLS_ISSUER=none), so there is nothing that a CA could vouch for',
    };
  const known = { kind: 'nothing', why: 'its certificate is by a public CA, which clients know' } as const;
  if (issuer !== 'provided' && directory.public && directory.staging !== true) return known;
  if (parts.certificate === undefined) throw notSetUp(paths.certificates);
  const endpoint = await endpointOf(parts, parts.certificate);
  if ((await vouched(endpoint, { kind: 'system' })).kind === 'yes') return known;
  throw new Failure(
    'ca-needed',
    `The certificate of this registry is by ${parts.certificate.issuerName}, whose CA is not here.`,
    'Get it from whoever runs that CA, and give it by --ca FILE.',
  );
}

export interface Elsewhere {
  /** Where to connect to, when not by the name. */
  readonly host: string | undefined;
  /** Of a CA, where a person has it. */
  readonly file: string | undefined;
  readonly fingerprint: string | undefined;
  /** Shows a fingerprint to a person who can compare it. */
  readonly confirm: (fingerprint: string) => Promise<boolean>;
}

/**
 * Somebody else's registry, with the CA that is given, or that it offers and a person has agreed to.
 * @throws Failure `ca-mismatch`, `ca-not-offered`, `no-authority`, `fingerprint-differs`, `not-confirmed`
 */
export async function otherRegistry(
  name: RegistryName,
  { host = name.name, file, fingerprint, confirm }: Elsewhere,
  clock: Clock,
): Promise<Which> {
  const place = { name: name.name, port: name.port, host };
  if (file === undefined && fingerprint === undefined) {
    const known = await vouched(place, { kind: 'system' });
    if (known.kind === 'yes')
      return { kind: 'nothing', why: 'its certificate is by a public CA, which clients know' };
  }
  const ca =
    file === undefined ? await fetchAuthority(name, host, clock.now()) : await readGiven(file, clock);
  if (fingerprint !== undefined && !sameFingerprint(fingerprint, ca.fingerprint))
    throw new Failure(
      'fingerprint-differs',
      `The CA has the fingerprint ${ca.fingerprint}, not ${fingerprint}.`,
      'Find out why before you trust it: somebody may be in between. Nothing was changed.',
    );
  await expectVouched(place, ca);
  if (file === undefined && fingerprint === undefined && !(await confirm(ca.fingerprint)))
    throw new Failure(
      'not-confirmed',
      `${name.authority} offers a CA with the SHA-256 fingerprint ${ca.fingerprint}, and nobody has said that it is the right one.`,
      'Compare it with what `npm run trust -- --print` shows on the registry’s machine; if it is the same, run this again with --fingerprint and that fingerprint.',
    );
  const { authority } = name;
  return { kind: 'registry', registry: { id: authority, authorities: [authority], names: [name.name], ca } };
}

/** All that clients may call this checkout's registry and its mirror. */
export function namesOf(settings: Settings): Pick<TrustedRegistry, 'authorities' | 'names'> {
  const { names, mirror } = settings;
  const authorities = names.map((domain) => registryAuthority({ ...settings, domain }));
  const mirrors =
    mirror === undefined
      ? []
      : (mirror.domain === undefined ? names : [settings.domain]).map((domain) =>
          mirrorAuthority(mirror, { ...settings, domain }),
        );
  const ofMirror = mirror?.domain === undefined ? [] : [mirror.domain];
  return { authorities: [...authorities, ...mirrors], names: [...names, ...ofMirror] };
}

async function readGiven(file: string, clock: Clock): Promise<Authority> {
  const pem = await readIfExists(file);
  if (pem === undefined) throw new WrongInput([{ input: '--ca', message: `"${file}" is not there` }]);
  return readAuthority(pem, file, clock.now());
}

function notSetUp(path: string): Failure {
  return new Failure('not-set-up', `${path} is not there yet.`, 'Run `npm run init-tls` first.');
}
