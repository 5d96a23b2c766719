import { bracketed, nameProblem } from '../../settings/names.ts';

const HTTPS = 443;
const HTTP = 80;

/** Where a registry is, as somebody elsewhere knows it. */
export interface Address {
  readonly name: string;
  readonly port: number;
  /** An address of the machine, for where the name does not lead there yet. */
  readonly connectTo?: string | undefined;
  /** Where it answers without TLS; `undefined`: not known, as with every port but the usual ones. */
  readonly httpPort: number | undefined;
}

/** `NAME`, `NAME:PORT`, `[2001:db8::7]:PORT`, or either behind `https://`; a text when it is none, saying why. */
export function parseAddress(text: string): Address | string {
  const place = text
    .trim()
    .replace(/^https:\/\//i, '')
    .replace(/\/$/, '');
  if (/^http:\/\//i.test(place)) return 'is without TLS: passwords are not sent there from another machine';
  const parts = /^\[([^\]]+)\](?::(\d+))?$|^([^:]+):(\d+)$|^(.+)$/.exec(place);
  const name = parts?.[1] ?? parts?.[3] ?? parts?.[5] ?? '';
  const port = Number(parts?.[2] ?? parts?.[4] ?? HTTPS);
  const problem = nameProblem(name);
  if (problem !== undefined) return problem;
  if (port < 1 || port > 65_535) return `has the port ${port}, which there is not`;
  return { name, port, httpPort: port === HTTPS ? HTTP : undefined };
}

/** What people type into a browser. */
export function urlOf({ name, port }: Pick<Address, 'name' | 'port'>, plain: boolean): string {
  const usual = plain ? HTTP : HTTPS;
  return `${plain ? 'http' : 'https'}://${bracketed(name)}${port === usual ? '' : `:${port}`}`;
}
