import { bracketed, nameProblem } from '../settings/names.ts';

/** A registry as clients call it. */
export interface RegistryName {
  /** `registry.example`, an IPv6 address without brackets. */
  readonly name: string;
  readonly port: number;
  /** What stands before the `/` of an image's name: the port only where it is not 443. */
  readonly authority: string;
}

const HTTPS = 443;

/** The registry that `NAME[:PORT]` stands for, or the reason it stands for none. */
export function parseRegistryName(text: string): RegistryName | string {
  const match = /^(?:\[(?<address>[^\]]*)\]|(?<host>[^:]*))(?::(?<digits>\d{1,5}))?$/.exec(text)?.groups;
  const name = (match?.address ?? match?.host ?? text).toLowerCase();
  const problem = nameProblem(name);
  if (problem !== undefined) return problem;
  if (match === undefined) return 'is no NAME or NAME:PORT; write an IPv6 address as [ADDRESS]:PORT';
  const port = match.digits === undefined ? HTTPS : Number(match.digits);
  if (port < 1 || port > 65535) return 'has a port that is not between 1 and 65535';
  return { name, port, authority: port === HTTPS ? bracketed(name) : `${bracketed(name)}:${port}` };
}
