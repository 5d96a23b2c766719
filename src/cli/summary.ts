import { relative } from 'node:path';
import type { App } from '../app.ts';
import type { Certificate } from '../certificates/certificate.ts';
import { authorityFile } from '../issuers/local.ts';
import { registryAuthority, type Settings } from '../settings/settings.ts';
import type { FirstUser } from '../users/first-user.ts';
import type { Story } from './story.ts';
import type { Terminal } from './terminal.ts';

export interface Outcome {
  readonly app: App;
  readonly settings: Settings;
  /** Only when it was made now: its password is not known later. */
  readonly firstUser: FirstUser | undefined;
  readonly certificate: Certificate;
  readonly json: boolean;
}

/** The last screen, in six lines; or all of it as JSON. */
export function conclude(terminal: Terminal, story: Story, outcome: Outcome): void {
  const { settings, firstUser, certificate, json } = outcome;
  const registry = registryAuthority(settings);
  if (json) {
    process.stdout.write(`${JSON.stringify(asJson(story, outcome), null, 2)}\n`);
    return;
  }
  const row = (name: string, text: string) =>
    terminal.line(`  ${terminal.style('dim', name.padEnd(14))} ${text}`);
  const url = terminal.style('bold', `https://${registry}`);
  terminal.line();
  row('Registry', story.changed ? url : `${url}  (nothing changed)`);
  if (firstUser === undefined) row('Users', 'npm run user -- list');
  else row('User', `${firstUser.name}, password ${firstUser.password.reveal()}  (shown only now)`);
  row('Certificate', `${certificate.issuerName}, until ${day(certificate.notAfter)}, renewed by itself`);
  row('Trust', trustHint(outcome, registry));
  row('Push', `docker login ${registry}; docker tag IMAGE ${registry}/IMAGE; docker push ${registry}/IMAGE`);
  row('Logs', 'docker compose logs --follow');
}

function asJson(story: Story, { settings, firstUser, certificate, app }: Outcome) {
  return {
    url: `https://${registryAuthority(settings)}`,
    changed: story.changed,
    firstUser: firstUser && { name: firstUser.name, password: firstUser.password.reveal() },
    certificate: { ...certificate, issuer: settings.issuer },
    authority: settings.issuer === 'local' ? authorityFile(app.paths.localAuthority) : null,
    steps: story.records,
  };
}

function trustHint({ app, settings }: Outcome, registry: string): string {
  if (settings.issuer !== 'local') return 'nothing to do where the CA is known already';
  const authority = relative(app.paths.root, authorityFile(app.paths.localAuthority));
  if (settings.domain === 'localhost')
    return `Docker trusts localhost as it is; for others: curl --cacert ${authority}`;
  return `on each client: sudo install -Dm644 ${authority} /etc/docker/certs.d/${registry}/ca.crt`;
}

function day(date: Date): string {
  return date.toISOString().slice(0, 10);
}
