import { join } from 'node:path';
import { Failure } from '../errors.ts';

const CONTROL = /\p{Cc}/u;
const UNWRITABLE = 'has a character in it that a systemd unit cannot carry';

/** All that a unit depends on. Paths are absolute, with links resolved. */
export interface UnitFacts {
  readonly project: string;
  readonly checkout: string;
  /** Who owns the state, by name: the daemon runs as nobody else. */
  readonly user: string;
  readonly group: string;
  /** The group that may use the engine's socket, where the daemon needs it. */
  readonly engineGroup: string | undefined;
  /** Node's own program. */
  readonly node: string;
  /** What it is kept from: the engine's socket, where it does without. */
  readonly hidden: readonly string[];
  /** What else it reads: trust bundles, hooks, the engine's socket. */
  readonly reads: readonly string[];
  /** What else it writes to, besides the state: the images' folder. */
  readonly writes: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

/** Named like the container that it stands in for: `moorage-renewer`, and `PROJECT-renewer` for a second registry. */
export function unitName(project: string): string {
  return `${project}-renewer.service`;
}

/** Below `/run`. The daemon's folder for temporary files, so that its sign of life can be seen from outside. */
export function runtimeFolder(project: string): string {
  return unitName(project).replace(/\.service$/, '');
}

/**
 * The unit (systemd.service(5), systemd.exec(5)). It goes without `scripts/setup.mjs`: after an upgrade that one would
 * install packages, at boot, as somebody who may not write them.
 * @throws Failure `unfit-place` where a path can't be written into a unit or is hidden from services
 */
export function unitText(facts: UnitFacts): string {
  const { checkout, node, reads, writes, hidden, user, group, engineGroup, project, environment } = facts;
  expectWritable(checkout);
  const paths = [checkout, node, ...reads, ...writes];
  for (const path of paths) expectVisible(path);
  const inHome = paths.some((path) => under(path, ['/home', '/root', '/run/user']));
  const variables = { ...environment, TMPDIR: `/run/${runtimeFolder(project)}` };

  return `# Written by \`npm run daemon -- --install\` and taken away by --uninstall. Changes of your own: systemctl edit ${unitName(project)}
[Unit]
Description=Keeps the certificate of the registry ${project} fresh
After=network-online.target docker.service
Wants=network-online.target docker.service
StartLimitIntervalSec=0

[Service]
Type=exec
${workingDirectory(checkout)}
ExecStart=:${quoted(node)} scripts/start.mjs daemon
${Object.entries(variables)
  .map(([name, value]) => `Environment=${quoted(`${name}=${value}`)}`)
  .join('\n')}
User=${user}
Group=${group}
${engineGroup === undefined ? '' : `SupplementaryGroups=${engineGroup}\n`}Restart=on-failure
RestartSec=30
# A certificate that is being fetched is better finished than recovered; hooks end with the daemon, not before it.
TimeoutStopSec=120
KillMode=mixed
# nginx, somebody else, has to reach chain and challenges. Secrets get mode 0600 one by one.
UMask=0022

ProtectSystem=strict
${quotedList('ReadWritePaths', [join(checkout, 'var'), ...writes.map(ifThere)])}
${hidden.length === 0 ? '' : `${quotedList('InaccessiblePaths', hidden.map(ifThere))}\n`}RuntimeDirectory=${runtimeFolder(project)}
PrivateTmp=yes
ProtectHome=${inHome ? 'read-only' : 'yes'}
PrivateDevices=yes
NoNewPrivileges=yes
CapabilityBoundingSet=
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
ProtectClock=yes
ProtectHostname=yes
ProtectControlGroups=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectProc=invisible
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
SystemCallErrorNumber=EPERM

[Install]
WantedBy=multi-user.target
`;
}

/** Whether a unit that was found is one for this checkout. Nobody else's is ever overwritten or removed. */
export function isUnitOf(text: string, checkout: string): boolean {
  return text.split('\n').includes(workingDirectory(checkout));
}

/** Taken as it stands up to the end of the line; only specifiers are expanded. */
function workingDirectory(checkout: string): string {
  return `WorkingDirectory=${checkout.replaceAll('%', '%%')}`;
}

function quotedList(name: string, items: readonly string[]): string {
  return `${name}=${items.map(quoted).join(' ')}`;
}

function ifThere(path: string): string {
  return `-${path}`;
}

/** One word (systemd.syntax(7), "Quoting") in which no specifier (`%n`) is expanded. */
function quoted(word: string): string {
  if (CONTROL.test(word)) throw unfit(word, UNWRITABLE);
  const escaped = word.replaceAll('%', '%%').replace(/["\\]/g, '\\$&');
  return /^[\w/.:@+=%-]+$/.test(escaped) ? escaped : `"${escaped}"`;
}

/** WorkingDirectory knows no quotes and no escapes: these would be trimmed, or continue the line. */
function expectWritable(checkout: string): void {
  if (CONTROL.test(checkout) || /[\s\\]$/.test(checkout)) throw unfit(checkout, UNWRITABLE);
}

function expectVisible(path: string): void {
  if (!under(path, ['/tmp', '/var/tmp'])) return;
  throw unfit(
    path,
    'lies in a folder for temporary files, which this service does not see and systemd empties',
  );
}

function unfit(path: string, why: string): Failure {
  return new Failure(
    'unfit-place',
    `${JSON.stringify(path)} ${why}.`,
    'Move it to another place, or leave the renewal to the renewer container, which works as it is.',
  );
}

function under(path: string, folders: readonly string[]): boolean {
  return folders.some((folder) => path === folder || path.startsWith(`${folder}/`));
}
