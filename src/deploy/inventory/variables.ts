import { isOneOff, nearest } from '../../nearest.ts';
import { type Destination, parseDestination } from '../../remote/destination.ts';
import { valueProblem } from '../../settings/load.ts';
import { OWN_NAMES } from '../../settings/schema.ts';
import { EXTRAS, type Extra, type HostVariables } from '../target.ts';
import type { Complain, Said, Variables } from './raw.ts';

const NAMES = OWN_NAMES.map((name) => name.toLowerCase());

/** Ansible's names for how to get there, the older ones too. */
const CONNECTION: Readonly<Record<string, 'host' | 'user' | 'port' | 'key'>> = {
  ansible_host: 'host',
  ansible_ssh_host: 'host',
  ansible_user: 'user',
  ansible_ssh_user: 'user',
  ansible_port: 'port',
  ansible_ssh_port: 'port',
  ansible_ssh_private_key_file: 'key',
  ansible_private_key_file: 'key',
};

/** What a host's variables mean: how to get there, and what it is to be. Others of Ansible's own are not ours. */
export function interpret(
  name: string,
  line: number,
  variables: Variables,
  complain: Complain,
): { readonly destination: Destination; readonly variables: HostVariables } {
  const way: Partial<Record<'host' | 'user' | 'port' | 'key', Said>> = {};
  const settings: Record<string, string> = {};
  let folder: string | undefined;
  let extras: ReadonlySet<Extra> = new Set();
  for (const [variable, said] of variables) {
    if (/[\r\n]|\{\{|\{%/.test(said.text)) {
      complain(
        said.line,
        `${variable} has a template or a line break in it; Moorage takes values as they are`,
      );
      continue;
    }
    const part = CONNECTION[variable];
    const setting = variable.toUpperCase();
    if (part !== undefined) way[part] = said;
    else if (variable === 'dir') folder = readFolder(said, complain);
    else if (variable === 'with') extras = readExtras(said, complain);
    else if (OWN_NAMES.includes(setting)) settings[setting] = readSetting(setting, said, complain);
    else if (variable === 'ansible_connection' && !['ssh', 'smart'].includes(said.text))
      complain(said.line, `ansible_connection=${said.text}: Moorage goes by ssh alone`);
    else if (variable.startsWith('ansible_')) expectNoSlip(variable, said, complain);
    else
      complain(
        said.line,
        `${variable} is not a setting, nor dir or with${nearest(setting.toLowerCase(), NAMES)}`,
      );
  }
  return { destination: destinationOf(name, line, way, complain), variables: { folder, settings, extras } };
}

function destinationOf(
  name: string,
  line: number,
  { host, user, port, key }: Partial<Record<'host' | 'user' | 'port' | 'key', Said>>,
  complain: Complain,
): Destination {
  const at = host ?? { text: name, line };
  const nowhere: Destination = { host: name, user: undefined, port: undefined, identityFile: undefined };
  const parsed = parseDestination(at.text);
  if (typeof parsed === 'string') {
    complain(at.line, `${at.text} ${parsed}`);
    return nowhere;
  }
  const login = user && parseDestination(`${user.text}@host`);
  if (user !== undefined && typeof login === 'string')
    complain(user.line, `${user.text} is not the name of a user`);
  const number = port && Number(port.text);
  if (port !== undefined && !(Number.isInteger(number) && Number(number) >= 1 && Number(number) <= 65535))
    complain(port.line, `${port.text} is not a port number`);
  return {
    host: parsed.host,
    user: user?.text ?? parsed.user,
    port: number ?? parsed.port,
    identityFile: key?.text ?? undefined,
  };
}

function readSetting(name: string, { text, line }: Said, complain: Complain): string {
  const problem = valueProblem(name, text);
  if (problem !== undefined) complain(line, `${name} ${problem}`);
  return text;
}

/** Ansible has a hundred of its own, which are not ours to know; one letter off the way to a machine is a slip. */
function expectNoSlip(variable: string, { line }: Said, complain: Complain): void {
  const meant = Object.keys(CONNECTION).find((name) => isOneOff(variable, name));
  if (meant !== undefined) complain(line, `${variable} is unknown; there is ${meant}`);
}

function readFolder({ text, line }: Said, complain: Complain): string | undefined {
  const problem = folderProblem(text);
  if (problem === undefined) return text;
  complain(line, `dir=${text} ${problem}`);
  return undefined;
}

/** `undefined`: a folder for a checkout. */
export function folderProblem(path: string): string | undefined {
  if (!path.startsWith('/')) return 'is not an absolute path';
  if (/["'$`\\\p{Cc}]/u.test(path)) return 'has a quote, a backslash, a $ or a control character in it';
  if (path.split('/').includes('..')) return 'goes up by ..';
  if (path.split('/').filter(Boolean).length < 2)
    return 'is too near to the root of the system; right would be /srv/moorage';
  return undefined;
}

function readExtras({ text, line }: Said, complain: Complain): ReadonlySet<Extra> {
  const found = parseExtras(text);
  if (typeof found !== 'string') return found;
  complain(line, `with=${text} ${found}`);
  return new Set();
}

/** `cacerts,proxy`; a text when it is not, saying why. */
export function parseExtras(text: string): ReadonlySet<Extra> | string {
  const words = text
    .split(',')
    .map((word) => word.trim())
    .filter(Boolean);
  const found = words.flatMap((word) => EXTRAS.filter((extra) => extra === word));
  return found.length === words.length ? new Set(found) : `may only have ${EXTRAS.join(' and ')} in it`;
}
