/** Where the system's `ssh` is to go. What is not given is left to its own configuration (ssh_config(5)). */
export interface Destination {
  /** A name of ssh_config, a host name or an address. */
  readonly host: string;
  readonly user: string | undefined;
  readonly port: number | undefined;
  /** Path of a private key. */
  readonly identityFile: string | undefined;
}

const USER = /^[A-Za-z_][A-Za-z0-9_.-]*\$?$/;
/** Never a dash first: `ssh` would take it for an option. */
const HOST = /^[A-Za-z0-9_][A-Za-z0-9_.-]*$|^[0-9A-Fa-f:]+(%[A-Za-z0-9]+)?$/;

/** `host`, `user@host`, `user@host:port`, `user@[2001:db8::1]:port` or `ssh://…`; a text when it is none, saying why. */
export function parseDestination(text: string): Destination | string {
  const place = text.replace(/^ssh:\/\//, '').replace(/\/$/, '');
  const at = place.lastIndexOf('@');
  const user = at < 0 ? undefined : place.slice(0, at);
  if (user !== undefined && !USER.test(user)) return 'is not user@host: that is no name of a user';
  const rest = place.slice(at + 1);
  const parts = /^\[([^\]]+)\](?::(\d{1,5}))?$|^([^:]+):(\d{1,5})$|^(.+)$/.exec(rest);
  const host = parts?.[1] ?? parts?.[3] ?? parts?.[5] ?? '';
  if (!HOST.test(host)) return 'is not user@host: that is no name or address of a host';
  const given = parts?.[2] ?? parts?.[4];
  const port = given === undefined ? undefined : Number(given);
  if (port !== undefined && (port < 1 || port > 65535)) return `has the port ${port}, which there is not`;
  return { host, user, port, identityFile: undefined };
}

/** As a person writes it. */
export function destinationInWords({ host, user, port }: Destination): string {
  const bracketed = host.includes(':') && port !== undefined ? `[${host}]` : host;
  return `${user === undefined ? '' : `${user}@`}${bracketed}${port === undefined ? '' : `:${port}`}`;
}

/** The same as arguments of `ssh` and `ssh-copy-id`, which take no port behind the host. */
export function destinationAsArguments({ host, user, port }: Destination): string {
  return `${port === undefined ? '' : `-p ${port} `}${user === undefined ? '' : `${user}@`}${host}`;
}
