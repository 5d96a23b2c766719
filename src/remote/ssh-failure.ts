import { Failure } from '../errors.ts';
import { type Finished, lastLines, saidBy } from '../system/processes.ts';
import { destinationAsArguments, parseDestination } from './destination.ts';

interface Kind {
  readonly says: RegExp;
  readonly code: string;
  readonly what: string;
  readonly remedy: (name: string, said: string) => string;
}

/** By what OpenSSH prints (ssh.c, sshconnect.c, readconf.c, packet.c); the first that fits. */
const KINDS: readonly Kind[] = [
  {
    says: /REMOTE HOST IDENTIFICATION HAS CHANGED|host key .* has changed/i,
    code: 'host-key-changed',
    what: 'shows another key than the one it is known by: it was set up anew, or somebody stands in between',
    remedy: (name, said) =>
      `Ask whoever runs it. If it was set up anew: ${forgetting(name, said)}; then log in once by hand, and compare the new key: ssh ${place(name)}`,
  },
  {
    says: /Host key verification failed/i,
    code: 'host-key-unknown',
    what: 'is not known yet, and nobody is here to say whether its key is the right one',
    remedy: (name) => `Log in once by hand, and compare its key: ssh ${place(name)}`,
  },
  {
    says: /Permission denied|Too many authentication failures|No supported authentication/i,
    code: 'login-refused',
    what: 'does not let this user in',
    remedy: (name) =>
      `This has to work without a password: ssh ${place(name)} true. To bring your key there: ssh-copy-id ${place(name)}`,
  },
  {
    says: /Could not resolve|Name or service not known|Connection refused|timed out|No route to host|Network is unreachable|Connection closed by remote host/i,
    code: 'host-unreachable',
    what: 'can’t be reached',
    remedy: (name) =>
      `Check that it is switched on, that its name is right and that its SSH port is open. To try it: ssh ${place(name)} true`,
  },
];

/** What `ssh` says last where a jump host did not let it through, which has said why before. */
const AFTER_JUMP = /^(kex_exchange_identification: .*|Connection closed by UNKNOWN port \d+)\s*$/gm;

/** Why there is no connection, or no more. */
export function connectionFailure(name: string, finished: Finished): Failure {
  const said = saidBy(finished) || `ssh ended with ${finished.exitCode}`;
  const kind = KINDS.find(({ says }) => says.test(said));
  const last = lastLines(said.replace(AFTER_JUMP, '')) || lastLines(said);
  if (kind !== undefined)
    return new Failure(kind.code, `${name} ${kind.what}: ${last}`, kind.remedy(name, said));
  return new Failure(
    'connection-lost',
    `The connection to ${name} failed: ${last}`,
    'Run this again: what was begun is then finished.',
  );
}

/** Where a shell greets, what commands print there can't be told from it. */
export function noisyShell(name: string, { stdout }: Finished): Failure {
  const [line = ''] = stdout.trim().split('\n');
  return new Failure(
    'shell-not-silent',
    `The shell of whoever logs in to ${name} prints something by itself: ${line.slice(0, 100) || 'an empty line'}`,
    `Have its ~/.bashrc, or whatever it reads, be silent where there is no terminal; then this prints nothing: ssh ${place(name)} true`,
  );
}

/** Why the user there is not let become root. */
export function sudoFailure(name: string, finished: Finished): Failure {
  const last = lastLines(saidBy(finished));
  return new Failure(
    'sudo-needed',
    `Whoever logs in to ${name} may not become root without a password: ${last}`,
    'Log in as root; or let that user: echo "USER ALL=(ALL) NOPASSWD: ALL" | sudo tee /etc/sudoers.d/USER',
  );
}

/** As ssh itself says it, where it does: it knows by which name and in which file. */
function forgetting(name: string, said: string): string {
  const told = /^\s*(ssh-keygen -f .+ -R .+?)\s*$/m.exec(said)?.[1];
  const destination = parseDestination(name);
  if (told !== undefined || typeof destination === 'string') return told ?? 'ssh-keygen -R HOST';
  const { host, port } = destination;
  return `ssh-keygen -R ${port === undefined ? host : `'[${host}]:${port}'`}`;
}

/** For a command that a person is told. */
function place(name: string): string {
  const destination = parseDestination(name);
  return typeof destination === 'string' ? name : destinationAsArguments(destination);
}
