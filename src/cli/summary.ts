import { relative } from 'node:path';
import type { App } from '../app/app.ts';
import type { Certificate } from '../certificates/certificate.ts';
import { day } from '../certificates/words.ts';
import { unreachable } from '../errors.ts';
import { authorityFile } from '../issuers/local.ts';
import { type DiskState, diskInWords } from '../low-water.ts';
import { mirrorAuthority, registryAuthority, registryUrl, type Settings } from '../settings/settings.ts';
import type { FirstUser } from '../users/first-user.ts';
import type { Story } from './story.ts';
import type { Terminal } from './terminal.ts';

export interface Outcome {
  readonly app: App;
  readonly settings: Settings;
  readonly disk: DiskState;
  /** Only when it was made now: its password is not known later. */
  readonly firstUser: FirstUser | undefined;
  readonly certificate: Certificate;
  readonly json: boolean;
}

/** The last screen, in six lines and those for a mirror and a disk that is full; or all of it as JSON. */
export function conclude(terminal: Terminal, story: Story, outcome: Outcome): void {
  const { settings, disk, firstUser, json } = outcome;
  const registry = registryAuthority(settings);
  if (json) {
    process.stdout.write(`${JSON.stringify(asJson(story, outcome), null, 2)}\n`);
    return;
  }
  const row = (name: string, text: string) => terminal.table([[name, text]]);
  const url = terminal.style('bold', registryUrl(settings));
  terminal.line();
  row('Registry', story.changed ? url : `${url}  (nothing changed)`);
  if (firstUser === undefined) row('Users', 'npm run user -- list');
  else row('User', `${firstUser.name}, password ${firstUser.password.reveal()}  (shown only now)`);
  row('Certificate', certificateLine(outcome));
  row('Trust', trustHint(outcome, registry));
  const { mirror } = settings;
  if (mirror !== undefined)
    row('Mirror', `${mirrorAuthority(mirror, settings)}; for clients see docs/mirror.md`);
  if (disk.kind === 'low') row('Disk', diskInWords(disk));
  row('Push', `docker login ${registry}; then docker push ${registry}/IMAGE`);
  row('Logs', 'docker compose logs --follow');
}

function asJson(story: Story, { settings, firstUser, certificate, app }: Outcome) {
  return {
    url: registryUrl(settings),
    changed: story.changed,
    firstUser: firstUser && { name: firstUser.name, password: firstUser.password.reveal() },
    certificate: settings.issuer === 'none' ? null : { ...certificate, issuer: settings.issuer },
    authority: settings.issuer === 'local' ? authorityFile(app.paths.localAuthority) : null,
    steps: story.records,
  };
}

function certificateLine({ settings, certificate }: Outcome): string {
  const until = `${certificate.issuerName}, until ${day(certificate.notAfter)}`;
  switch (settings.issuer) {
    case 'none':
      return plainLine(settings);
    case 'provided':
      return `${until}, followed from TLS_CERT_FILE`;
    case 'acme':
    case 'certbot':
    case 'local':
      return `${until}, renewed by itself`;
    default:
      return unreachable(settings.issuer);
  }
}

function plainLine({ trustedProxies, bindAddress }: Settings): string {
  const readable = 'passwords and images can be read by everybody on the way';
  if (trustedProxies.length > 0) return `NONE of our own: between the proxy and nginx ${readable}`;
  const reach = isLoopback(bindAddress) ? '' : `, and BIND_ADDRESS=${bindAddress} lets the network in`;
  return `NONE: ${readable} (TLS_ISSUER=none)${reach}`;
}

function isLoopback(address: string | undefined): boolean {
  return address !== undefined && /^(127\.|::1$)/.test(address);
}

function trustHint({ app, settings }: Outcome, registry: string): string {
  if (settings.issuer === 'none' && settings.trustedProxies.length > 0)
    return 'that is up to the proxy in front';
  if (settings.issuer === 'none')
    return `Docker takes plain HTTP from this machine; elsewhere: {"insecure-registries": ["${registry}"]}`;
  if (settings.issuer !== 'local') return 'nothing to do where the CA is known already';
  const authority = relative(app.paths.root, authorityFile(app.paths.localAuthority));
  if (settings.domain === 'localhost')
    return `Docker trusts localhost as it is; for others: curl --cacert ${authority}`;
  return 'npm run trust; for other machines: npm run --silent trust -- --print';
}
